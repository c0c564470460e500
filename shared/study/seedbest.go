package study

// SeedBest is how far one seed of a trial has come and which of its epochs was best. The
// zero value with a Seed has seen no epoch. The trainer and the study follow the same
// rule with it: the best epoch is the first with the highest F1-macro, epoch 0 (before
// training) not counted.
type SeedBest struct {
	Seed    int64   `json:"seed"`
	Last    int     `json:"last"`     // the last epoch trained, from 1; 0: none
	Epoch   int     `json:"epoch"`    // the best one
	F1Macro float64 `json:"f1_macro"` // of the best epoch
	ECE     float64 `json:"ece"`      // of the best epoch
}

// Seen returns b after one more epoch; epochs come in order.
func (b SeedBest) Seen(epoch int, f1Macro, ece float64) SeedBest {
	b.Last = epoch
	if b.Epoch == 0 || f1Macro > b.F1Macro {
		b.Epoch, b.F1Macro, b.ECE = epoch, f1Macro, ece
	}
	return b
}

// Stopped reports whether the seed is trained no further: its last patience epochs were
// no better than its best before them. With patience 0 it never is.
func (b SeedBest) Stopped(patience int) bool {
	return patience > 0 && b.Last-b.Epoch >= patience
}
