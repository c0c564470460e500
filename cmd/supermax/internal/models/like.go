package models

import (
	"fmt"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
)

// LikeBERT is the usual architecture.
const LikeBERT = "bert"

// Architectures lists what Init can make.
func Architectures() []string { return pretrained.ModelTypes() }

// model returns the backbone's configuration; its vocabulary's size is the most allowed.
func (o *Options) model() (pretrained.Config, error) {
	if !slices.Contains(Architectures(), o.Like) {
		return pretrained.Config{}, input(fmt.Sprintf("like %q is not known (allowed: %s)", o.Like, strings.Join(Architectures(), ", ")))
	}
	if o.Intermediate == 0 {
		o.Intermediate = 4 * o.Hidden
	}
	c := pretrained.Sized(o.Like, pretrained.Sizes{
		Vocabulary: o.Vocab, Hidden: o.Hidden, Layers: o.Layers, Heads: o.Heads, Intermediate: o.Intermediate, Positions: o.MaxPositions,
	})
	if err := c.Validate(); err != nil {
		return c, wrongInput{err}
	}
	return c, nil
}
