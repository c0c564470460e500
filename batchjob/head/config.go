// Package head turns a row's hidden states into class scores: a pooling over the row's
// tokens and a small network.
package head

import (
	"fmt"
	"slices"
)

// Config is a classification head.
type Config struct {
	Prefix     string  // before the parameters' names, for a model of several heads
	Pooling    string  // cls, mean, max or attention
	HiddenDim  int     // width of the layers; 0: no layer but the output's
	Layers     int     // how many, at least 1 when HiddenDim is not 0
	Activation string  // relu, gelu or swish; used when HiddenDim is not 0
	Dropout    float64 // in [0, 1)
	Classes    int     // at least 2
	Last       bool    // cls takes a row's last token, as XLNet's rows end with it
}

// Poolings and Activations are what a [Config] may name.
var (
	Poolings    = []string{"cls", "mean", "max", "attention"}
	Activations = []string{"relu", "gelu", "swish"}
)

// Validate reports the first value that no head can have.
func (c Config) Validate() error {
	switch {
	case !slices.Contains(Poolings, c.Pooling):
		return fmt.Errorf("head: pooling %q, allowed are %v", c.Pooling, Poolings)
	case c.HiddenDim < 0:
		return fmt.Errorf("head: hidden_dim %d, it must not be negative", c.HiddenDim)
	case c.HiddenDim > 0 && c.Layers < 1:
		return fmt.Errorf("head: n_layers %d with hidden_dim %d, at least 1 is needed", c.Layers, c.HiddenDim)
	case c.HiddenDim > 0 && !slices.Contains(Activations, c.Activation):
		return fmt.Errorf("head: activation %q, allowed are %v", c.Activation, Activations)
	case !(c.Dropout >= 0 && c.Dropout < 1):
		return fmt.Errorf("head: dropout %v, allowed is at least 0 and below 1", c.Dropout)
	case c.Classes < 2:
		return fmt.Errorf("head: %d classes, at least 2 are needed", c.Classes)
	}
	return nil
}
