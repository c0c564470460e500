package main

import (
	"context"
	"slices"

	"github.com/supermax-hpo/supermax/shared/functions"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/searchbench"
)

// search is one sampler's search of a function, repeated with many seeds.
type search struct {
	function string
	ours     bool
	slots    int
}

// samplerFor is what both sides search a function with: their default for its objectives.
func samplerFor(f functions.Function) string {
	if f.Objectives > 1 {
		return sampler.NameNSGA2
	}
	return sampler.NameTPE
}

// judged are the functions with golden figures of quality.
func judged() []functions.Function {
	return slices.DeleteFunc(functions.All(), func(f functions.Function) bool {
		return f.Name == single || f.Name == several
	})
}

// values returns every trial's values, by seed, and measures them but once.
func (b *bench) values(ctx context.Context, f functions.Function, ours bool, slots int) ([][][]float64, error) {
	key := search{f.Name, ours, slots}
	if found, ok := b.known[key]; ok {
		return found, nil
	}
	trials := slices.Max(searchbench.DefaultTrials(f))
	var found [][][]float64
	if !ours {
		if err := b.peer.measure(ctx, &found, "quality", f.Name, samplerFor(f), slots, trials, b.seeds); err != nil {
			return nil, err
		}
	} else {
		for seed := range b.seeds {
			values, err := searchbench.Search(ctx, f, samplerFor(f), uint64(seed), trials, slots)
			if err != nil {
				return nil, err
			}
			found = append(found, values)
		}
	}
	if b.known == nil {
		b.known = make(map[search][][][]float64)
	}
	b.known[key] = found
	return found, nil
}

// cell is what one figure of quality compares.
type cell struct {
	function functions.Function
	trials   int
	ref      []float64 // nil: the best value counts
	near     bool      // ref is not the function's last
}

func cells(f functions.Function) []cell {
	var list []cell
	for _, n := range searchbench.DefaultTrials(f) {
		if f.Objectives == 1 {
			list = append(list, cell{f, n, nil, false})
		}
		for i, ref := range f.Refs {
			list = append(list, cell{f, n, ref, i < len(f.Refs)-1})
		}
	}
	return list
}

// quartiles are those of the cell over the seeds.
func (c cell) quartiles(found [][][]float64) searchbench.Quartiles {
	var judged []float64
	for _, values := range found {
		judged = append(judged, searchbench.Judge(c.function, c.ref, values[:c.trials]))
	}
	return searchbench.QuartilesOf(judged)
}

// loss returns by how much a is worse than b.
func (c cell) loss(a, b float64) float64 {
	if c.ref != nil {
		return b - a
	}
	return a - b
}

// worse is the quartile on the worse side.
func (c cell) worse(q searchbench.Quartiles) float64 {
	if c.ref != nil {
		return q.Q1
	}
	return q.Q3
}

// label names the cell's figure.
func (c cell) suffix() string {
	if c.near {
		return "-near"
	}
	return ""
}

// count is how many cells of a kind there are, and in how many we are ahead and within the
// peer's quartiles.
type count struct{ cells, ahead, within int }

// quality compares medians with one slot: with one objective the best value, with several
// the hypervolume, far (the last reference point, which every front reaches) and near.
func (b *bench) quality(ctx context.Context) error {
	var one, more, near count
	for _, f := range judged() {
		ours, err := b.values(ctx, f, true, 1)
		if err != nil {
			return err
		}
		peer, err := b.values(ctx, f, false, 1)
		if err != nil {
			return err
		}
		for _, c := range cells(f) {
			o, p := c.quartiles(ours), c.quartiles(peer)
			sum := &one
			switch {
			case c.near:
				sum = &near
			case c.ref != nil:
				sum = &more
			}
			verdict := sum.add(c.loss(o.Median, p.Median) <= 0, c.loss(o.Median, c.worse(p)) <= 0)
			b.line("search-quality-%s-%d%s ours=%.5g peer=%.5g ours-quartiles=%.5g,%.5g peer-quartiles=%.5g,%.5g verdict=%s",
				f.Name, c.trials, c.suffix(), o.Median, p.Median, o.Q1, o.Q3, p.Q1, p.Q3, verdict)
		}
	}
	b.line("search-quality-single ahead=%d within=%d of=%d", one.ahead, one.within, one.cells)
	b.line("search-quality-several ahead=%d within=%d of=%d", more.ahead, more.within, more.cells)
	b.line("search-quality-several-near ahead=%d within=%d of=%d", near.ahead, near.within, near.cells)
	return nil
}

// add counts a cell and says in a word how it stands.
func (c *count) add(ahead, within bool) string {
	c.cells++
	switch {
	case ahead:
		c.ahead++
		c.within++
		return "ahead"
	case within:
		c.within++
		return "within"
	}
	return "behind"
}

// parallel compares what many slots lose against one, at equal trials.
func (b *bench) parallel(ctx context.Context) error {
	for _, slots := range []int{16, 64} {
		var less, ahead, all int
		for _, f := range judged() {
			var found [2][2][][][]float64 // ours and the peer's, with one slot and with many
			for side := range found {
				for i, n := range []int{1, slots} {
					values, err := b.values(ctx, f, side == 0, n)
					if err != nil {
						return err
					}
					found[side][i] = values
				}
			}
			for _, c := range cells(f) {
				if c.near {
					continue
				}
				o1, o := c.quartiles(found[0][0]), c.quartiles(found[0][1])
				p1, p := c.quartiles(found[1][0]), c.quartiles(found[1][1])
				ol, pl := c.loss(o.Median, o1.Median), c.loss(p.Median, p1.Median)
				all++
				if ol <= pl {
					less++
				}
				if c.loss(o.Median, p.Median) <= 0 {
					ahead++
				}
				b.line("search-quality-%s-%d-slots%d ours=%.5g peer=%.5g ours-loss=%.4g peer-loss=%.4g", f.Name, c.trials, slots, o.Median, p.Median, ol, pl)
			}
		}
		b.line("search-quality-slots%d less-loss=%d ahead=%d of=%d", slots, less, ahead, all)
	}
	return nil
}
