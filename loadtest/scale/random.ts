/** Numbers that look drawn by chance, the same for the same seed. */
export interface Random {
  /** From 0 up to 1. */
  uniform(): number;
  /** So long on average, spread as the sum of `phases` exponential times is: the more of them, the more alike. */
  erlang(mean: number, phases: number): number;
}

/** Source: Park and Miller, Random number generators: good ones are hard to find, 1988, with the multiplier of 1993. */
export function createRandom(seed: number): Random {
  let state = seed % 0x7fffffff || 1;
  const uniform = (): number => {
    state = (state * 48_271) % 0x7fffffff;
    return (state - 1) / 0x7ffffffe;
  };
  return {
    uniform,
    erlang(mean, phases) {
      let sum = 0;
      for (let phase = 0; phase < phases; phase++) sum -= Math.log(1 - uniform());
      return (mean * sum) / phases;
    },
  };
}
