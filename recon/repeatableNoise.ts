/** Numbers without order, evenly between -1 and 1, the same every time: a linear congruence (Park & Miller 1988, doi 10.1145/63039.63042). */
export function repeatableNoise(): () => number {
  const modulus = 2_147_483_647;
  let state = 1;
  return () => {
    state = (state * 48_271) % modulus;
    return (2 * state) / modulus - 1;
  };
}
