package study

import (
	"fmt"

	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// limit returns how many trials the stage may start: as many as its settings say, or as its
// grid has configurations if they are fewer.
func (s SearchStage) limit(sp *space.Space) int {
	if s.Sampler == sampler.NameGrid {
		if size, err := sampler.GridSize(sp); err == nil && size < uint64(s.Trials) {
			return int(size)
		}
	}
	return s.Trials
}

// validateGrid refuses a grid over a space that has none.
func (s SearchStage) validateGrid(name string, sp *space.Space, bad func(field string, value any, allowed string)) {
	if s.Sampler != sampler.NameGrid || sp == nil || sp.Validate() != nil {
		return
	}
	if _, err := sampler.GridSize(sp); err != nil {
		bad(name+".sampler", fmt.Sprintf("%q", s.Sampler), "another one, as "+err.Error())
	}
}
