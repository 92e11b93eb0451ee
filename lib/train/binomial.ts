/**
 * Tails of the binomial distribution, and the exact confidence limits of Clopper and Pearson. Summed directly from a saddle-point mass
 * (C. Loader, "Fast and Accurate Computation of Binomial Probabilities", 2000): a tail has O(√n) terms that count, and the packages of the
 * registry that offer the incomplete beta function stop at seven digits or bring dozens of packages.
 */

const kHalfLogTwoPi = 0.5 * Math.log(2 * Math.PI);
/** Terms under this share of the sum no longer change it. */
const kNegligible = 1e-18;
/** Halvings of [0, 1]: past a double's last digit. */
const kHalvings = 64;

/** P(X ≤ k) of X ~ Bin(n, p). */
export function atMost(k: number, n: number, p: number): number {
  return lowerTail(k, n, p, 1 - p);
}

/** Limits [low, high] of a rate of which `k` of `n` draws were seen; each is missed with a chance of at most (1 − confidence) / 2. */
export function clopperPearson(k: number, n: number, confidence: number): [number, number] {
  const side = (1 - confidence) / 2;
  return [1 - upperLimit(n - k, n, side), upperLimit(k, n, side)];
}

/** The least rate p with P(X ≤ k) ≤ `delta`: a rate of which `k` of `n` draws were seen is above it with a chance of at most `delta`. */
export function upperLimit(k: number, n: number, delta: number): number {
  if (k >= n) return 1;
  let [low, high] = [0, 1];
  for (let halving = 0; halving < kHalvings; halving++) {
    const middle = (low + high) / 2;
    if (atMost(k, n, middle) > delta) low = middle;
    else high = middle;
  }
  return high;
}

/** P(X ≤ k); `q` = 1 − p is passed on beside p because the difference would cost its last digits. */
function lowerTail(k: number, n: number, p: number, q: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  if (k > n * p) return 1 - lowerTail(n - k - 1, n, q, p);
  let term = mass(k, n, p, q);
  let sum = term;
  for (let j = k; j > 0 && term > sum * kNegligible; j--) {
    term *= (j * q) / ((n - j + 1) * p);
    sum += term;
  }
  return Math.min(sum, 1);
}

/** P(X = k). */
function mass(k: number, n: number, p: number, q: number): number {
  if (p === 0 || q === 0) return (p === 0 && k === 0) || (q === 0 && k === n) ? 1 : 0;
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  if (k === n) return Math.exp(n * Math.log(p));
  const error = stirlingError(n) - stirlingError(k) - stirlingError(n - k);
  const exponent = error - deviance(k, n * p) - deviance(n - k, n * q);
  return Math.sqrt(n / (2 * Math.PI * k * (n - k))) * Math.exp(exponent);
}

/** ln n! − (n + ½) ln n + n − ½ ln 2π, for n ≥ 1. */
function stirlingError(n: number): number {
  if (n <= 15) {
    let logFactorial = 0;
    for (let factor = 2; factor <= n; factor++) logFactorial += Math.log(factor);
    return logFactorial - (n + 0.5) * Math.log(n) + n - kHalfLogTwoPi;
  }
  const square = n * n;
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n;
}

/** x ln(x/m) + m − x, by its series where x is near m and the terms cancel. */
function deviance(x: number, m: number): number {
  if (Math.abs(x - m) >= 0.1 * (x + m)) return x * Math.log(x / m) + m - x;
  const ratio = (x - m) / (x + m);
  let sum = (x - m) * ratio;
  let power = 2 * x * ratio;
  for (let odd = 3; ; odd += 2) {
    power *= ratio * ratio;
    const next = sum + power / odd;
    if (next === sum) return sum;
    sum = next;
  }
}
