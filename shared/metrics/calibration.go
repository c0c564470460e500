package metrics

// ECEBins is the number of equal bins of the expected calibration error.
const ECEBins = 15

// ECE is the expected calibration error of Naeini et al. 2015 and Guo et al. 2017: the
// mean over rows of |accuracy − mean confidence| of the row's bin, where the bins
// (k/15, (k+1)/15] divide the confidence of the predicted class. It is 0 of no rows.
func ECE(confidence []float64, correct []bool) float64 {
	var edges [ECEBins + 1]float64
	step := 1.0 / ECEBins
	for i := range edges {
		edges[i] = float64(i) * step
	}
	edges[ECEBins] = 1
	var sum [ECEBins]float64
	var hits [ECEBins]float64
	for i, c := range confidence {
		bin := 0
		for bin < ECEBins-1 && c > edges[bin+1] {
			bin++
		}
		sum[bin] += c
		if correct[i] {
			hits[bin]++
		}
	}
	if len(confidence) == 0 {
		return 0
	}
	total := 0.0
	for bin := range sum {
		// |hits/n − sum/n|·n/N = |hits − sum|/N
		if d := hits[bin] - sum[bin]; d < 0 {
			total -= d
		} else {
			total += d
		}
	}
	return total / float64(len(confidence))
}
