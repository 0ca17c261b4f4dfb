/**
 * Questions to a network, answered and worked on in turn: while an answer is worked on here, the network, which is another
 * process, has the next questions already.
 */
export interface Question<Answer> {
  readonly ask: () => Promise<Answer>;
  readonly take: (answer: Answer) => void;
}

/** Questions that wait at the network beside the one that is answered next: with one it never waits for us, with the second not for the way to it either. */
const nAhead = 2;

/** @throws what the first question that fails is rejected with, or what `take` throws */
export async function inTurn<Answer>(questions: readonly Question<Answer>[]): Promise<void> {
  const asked: Promise<Answer>[] = [];
  let next = 0;
  for (const { take } of questions) {
    for (; next < questions.length && asked.length <= nAhead; next++) {
      const answer = questions[next]!.ask();
      // Who fails later than the first is not waited for.
      answer.catch(() => undefined);
      asked.push(answer);
    }
    take(await asked.shift()!);
  }
}
