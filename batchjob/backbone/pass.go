package backbone

import "github.com/supermax-hpo/supermax/batchjob/tensor"

// A pass is one batch on its way through the network.
type pass struct {
	s      *tensor.Scope
	b      Batch
	rows   *tensor.Packed
	random *tensor.Randomness // nil: nothing is dropped

	summary bool // the rows' summaries are wanted alone
	ends    bool // a row's summary is its last token, not its first

	positions tensor.T // see [pass.memo]
	relative  relative
	segments  tensor.T
}

func (e *Encoder) pass(s *tensor.Scope, b Batch, rows *tensor.Packed, random *tensor.Randomness, w Want) *pass {
	return &pass{s: s, b: b, rows: rows, random: random, summary: w == Summaries, ends: e.SummaryLast()}
}

// narrow returns, in a last layer of which the summaries are wanted alone, the summaries' rows of
// each of a layer's matrices [tokens, …] of rows, and their dropout keys; else all of them.
func (p *pass) narrow(rows *tensor.Packed, last bool, x ...tensor.T) ([]tensor.T, tensor.Keys) {
	if !last || !p.summary {
		return x, rows.TokenKeys()
	}
	for i := range x {
		x[i] = rows.End(x[i], p.ends)
	}
	return x, rows.EndKeys(p.ends)
}

// dropAt returns the dropout of a site for a matrix whose rows have these keys.
func (p *pass) dropAt(keys tensor.Keys, site int, probability float64) tensor.Drop {
	if p.random == nil || probability == 0 {
		return tensor.Drop{}
	}
	return p.random.At(uint32(site), keys, probability)
}

// drop returns the dropout of a site for [tokens, …] matrices of rows.
func (p *pass) drop(rows *tensor.Packed, site int, probability float64) tensor.Drop {
	return p.dropAt(rows.TokenKeys(), site, probability)
}

// tokenDrop is drop for the batch's own rows.
func (p *pass) tokenDrop(site int, probability float64) tensor.Drop {
	return p.drop(p.rows, site, probability)
}

// memo returns what is kept at place, and makes it the first time.
func (p *pass) memo(place *tensor.T, make func() tensor.T) tensor.T {
	if *place == (tensor.T{}) {
		p.s.Pin(func() { *place = make() })
	}
	return *place
}
