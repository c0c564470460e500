package sampler

import "math"

// logSqrt2Pi is log √(2π).
const logSqrt2Pi = 0.91893853320467274178032973640562

// logCDF returns log Φ(x), Φ the standard normal distribution function, to nearly full
// precision also where Φ itself underflows.
func logCDF(x float64) float64 {
	switch {
	case x > 5:
		return math.Log1p(-0.5 * math.Erfc(x/math.Sqrt2))
	case x > -20:
		return math.Log(0.5 * math.Erfc(-x/math.Sqrt2))
	}
	// Φ(x) = φ(x)/|x| · (1 − 1/x² + 3/x⁴ − 15/x⁶ …), Abramowitz and Stegun 26.2.12. At
	// x = −20 the eighth term is below 1e-14.
	sum, term := 1.0, 1.0
	for k := 1.0; k <= 15; k += 2 {
		term *= -k / (x * x)
		sum += term
	}
	return -0.5*x*x - logSqrt2Pi - math.Log(-x) + math.Log(sum)
}

// everything is how many widths hold all of a normal distribution: what lies beyond them on
// one side is below 2⁻⁵⁵.
const everything = 8.5

// logMass returns log(Φ(b) − Φ(a)) for a < b, without cancellation in the tails.
func logMass(a, b float64) float64 {
	switch {
	case a < -everything && b > everything:
		return 0
	case a > 0:
		return logMass(-b, -a)
	case b > 0:
		// One term is negative, the other positive: nothing cancels.
		return math.Log(0.5 * (math.Erf(b/math.Sqrt2) - math.Erf(a/math.Sqrt2)))
	}
	upper := logCDF(b)
	return upper + math.Log(-math.Expm1(logCDF(a)-upper))
}

// thin bounds (|z|+2)·h for [thinLogMass]: the first term that it leaves out is below the sixth
// power of that over 322,560.
const thin = 0.16

// thinLogMass returns log(Φ(z+h/2) − Φ(z−h/2)) for a small h to 1e-10: the Taylor series of the
// density, whose odd terms cancel.
func thinLogMass(z, h float64) float64 {
	z2, h2 := z*z, h*h
	c := h2 / 24 * (z2 - 1 + h2/80*(z2*(z2-6)+3))
	return -0.5*z2 - logSqrt2Pi + math.Log(h) + c*(1-c*(0.5-c/3))
}
