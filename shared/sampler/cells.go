package sampler

// A cellTable holds what is known of a grid's cells, by index, as candidates come back to the
// same ones: where they lie, and the log of what the prior has in them. Both follow from the
// dimension.
type cellTable struct {
	count int // of the grid's cells
	cells []locatedCell
}

type locatedCell struct {
	place
	prior float64
	known bool
}

// tabled bounds the tables by cell; grids with more cells have none.
const tabled = 1 << 12

// locate returns where a value lies, and the prior's log density there.
func (k *numericKernel) locate(x float64) (at place, priorLogDensity float64) {
	if k.step == 0 || k.table.count > tabled {
		at = k.place(x)
		return at, k.priorLogDensity(&at)
	}
	if k.table.cells == nil {
		k.table.cells = make([]locatedCell, k.table.count)
	}
	cell := &k.table.cells[k.index(x)]
	if !cell.known {
		at = k.place(x)
		*cell = locatedCell{at, k.priorLogDensity(&at), true}
	}
	return cell.place, cell.prior
}

func (k *numericKernel) place(x float64) place {
	if k.step == 0 {
		return place{value: x, middle: k.scaled(x)}
	}
	low, high := k.scaled(x-k.step/2), k.scaled(x+k.step/2)
	return place{value: x, middle: (low + high) / 2, half: (high - low) / 2}
}
