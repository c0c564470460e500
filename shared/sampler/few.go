package sampler

// few is up to how many components there is no point in looking for the near ones first. The
// good trials are always few, and near each other.
const few = 32

// logDensities returns the log densities of all components.
func (p *parzen) logDensities(at *spot) []neighbour {
	all := p.scratch.near[:0]
	for c, handicap := range p.handicap {
		all = append(all, neighbour{int32(c), -0.5 * handicap})
	}
	p.scratch.near = all
	for i, k := range p.smooth {
		x, shapes := at.smooth[i].middle, k.shape[:len(all)]
		for c := range all {
			z := (x - shapes[c].mean) * shapes[c].inverse
			all[c].distance -= 0.5 * z * z
		}
	}
	for i, k := range p.choices {
		choice, logs := at.choice[i], [2]float64{k.logOther, k.logSame}
		for c, own := range k.choice[:len(all)] {
			same := 0
			if own == choice {
				same = 1
			}
			all[c].distance += logs[same]
		}
	}
	for i, k := range p.grids {
		for c, log := range k.cell(&at.grids[i]) {
			all[c].distance += log
		}
	}
	return all
}

// cell returns the log probabilities of a grid cell by component, but for what normalises
// them, which the handicap holds. It remembers them until a component changes.
func (k *numericKernel) cell(at *place) []float64 {
	row := &k.untabled
	if k.table.count > tabled {
		*row = (*row)[:0]
	} else {
		if k.cells == nil {
			k.cells = make([][]float64, k.table.count)
		}
		row = &k.cells[k.index(at.value)]
	}
	if len(*row) == 0 {
		for c, shape := range k.shape {
			log := 0.0
			if sigma := k.sigma[c]; sigma > 0 {
				log = k.logMass(shape.mean, sigma, at)
			}
			*row = append(*row, log)
		}
	}
	return *row
}

// forgetCells makes [numericKernel.cell] work out anew what it is asked for.
func (k *numericKernel) forgetCells() {
	for i := range k.cells {
		k.cells[i] = k.cells[i][:0]
	}
}
