export function ComparePage({ left, right }: { left: string | undefined; right: string | undefined }) {
  return <h1>Compare {left} {right}</h1>;
}
