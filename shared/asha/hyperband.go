package asha

import (
	"fmt"
	"hash/crc32"
	"math"
)

// hyperband returns the rungs of Hyperband's ⌊log_Factor(Last/First)⌋ + 1 brackets: bracket b
// begins to stop after First·Factor^b epochs. Optuna takes that logarithm in floating point
// and so has one bracket less for some whole powers, such as 3^5. Li et al., "Hyperband: a novel bandit-based approach to
// hyperparameter optimization" (2018), algorithm 1, with asynchronous halving in each
// bracket as in the ASHA paper (2020), section 3.
func (o Options) hyperband() ([]Rungs, error) {
	if _, err := rungs(o.First, o.Last, o.Factor); err != nil {
		return nil, err
	}
	brackets := make([]Rungs, o.powers()+1)
	for b := range brackets {
		first, err := o.firstRung(b)
		if err != nil {
			return nil, err
		}
		if brackets[b], err = rungs(first, o.Last, o.Factor); err != nil {
			return nil, err
		}
	}
	return brackets, nil
}

// shares returns in what proportion the brackets get trials, so that each is trained for
// about as many epochs: ⌈n·factor^s/(s+1)⌉, s counting down to 0.
func shares(brackets, factor int) []int {
	list := make([]int, brackets)
	for b := range list {
		s := brackets - 1 - b
		list[b] = int(math.Ceil(float64(brackets) * math.Pow(float64(factor), float64(s)) / float64(s+1)))
	}
	return list
}

// bracket returns a trial's bracket, drawn in proportion to the shares by the CRC-32 of
// the study's name and the trial's number: the same wherever and whenever it is asked.
func bracket(study string, trial int, shares []int) int {
	total := 0
	for _, n := range shares {
		total += n
	}
	drawn := int(crc32.ChecksumIEEE(fmt.Appendf(nil, "%s_%d", study, trial))) % total
	b := 0
	for drawn >= shares[b] {
		drawn -= shares[b]
		b++
	}
	return b
}
