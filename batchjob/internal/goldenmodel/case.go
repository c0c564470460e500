// Package goldenmodel reads the golden models for the tests of the packages that compute
// them: inputs, hidden states, losses, gradients and optimizer steps of the hub's library.
package goldenmodel

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/backbone"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/safetensors"
	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// A Case is one golden model with its rows padded on one side.
type Case struct {
	Dir     string
	Side    string // right or left
	Weights *pretrained.Weights
	Batch   backbone.Batch // the golden rows without their padding
	Labels  []int32
	Pools   map[string]Pool
	file    *safetensors.File
	length  int   // of the padded rows
	from    []int // where a padded row's tokens begin
}

// A Pool is what golden.json says about one pooling.
type Pool struct {
	Losses      map[string]float64 `json:"losses"`
	GradPlain   map[string]float64 `json:"grad_norm_plain"`
	GradBoth    map[string]float64 `json:"grad_norm_both"`
	WithoutGrad []string           `json:"no_grad"`
	AfterThree  AfterThree         `json:"adamw3"`
}

// AfterThree is the model after three steps of AdamW.
type AfterThree struct {
	Losses     []float64          `json:"losses_before_each_step_and_after"`
	ParamNorm  map[string]float64 `json:"param_norm"`
	DeltaNorm  map[string]float64 `json:"delta_norm"`
	HeadWeight []float32          `json:"head.weight"`
}

// Cases reads every golden model and fails the test when there is none.
func Cases(t testing.TB) []*Case {
	t.Helper()
	var cases []*Case
	for _, dir := range goldentest.Cases(t, "config.json", "models") {
		cases = append(cases, read(t, dir)...)
	}
	return cases
}

// read returns the model's cases, one a side. Where a model has several sides each has a file.
func read(t testing.TB, dir string) []*Case {
	w, err := pretrained.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Sides map[string]struct {
			Pools map[string]Pool `json:"pools"`
		} `json:"sides"`
	}
	readJSON(t, filepath.Join(dir, "golden.json"), &doc)
	if len(doc.Sides) == 0 {
		t.Fatalf("%s has no sides", dir)
	}
	var cases []*Case
	for _, side := range slices.Sorted(maps.Keys(doc.Sides)) {
		path := filepath.Join(dir, "golden_"+side+".safetensors")
		if _, err := os.Stat(path); err != nil {
			path = filepath.Join(dir, "golden.safetensors")
		}
		c := &Case{Dir: dir, Side: side, Weights: w, Pools: doc.Sides[side].Pools, file: open(t, path)}
		if len(c.Pools) == 0 {
			t.Fatalf("%s has no poolings", dir)
		}
		c.readRows(t)
		cases = append(cases, c)
	}
	return cases
}

// readRows takes the tokens out of the padded rows.
func (c *Case) readRows(t testing.TB) {
	ids, mask := c.ints(t, "input_ids"), c.ints(t, "attention_mask")
	// A model that takes no types still has a tokenizer that gives some.
	types := make([]int32, len(ids))
	for _, name := range []string{"token_type_ids", "token_type_ids_unused"} {
		if _, ok := c.file.Lookup(name); ok {
			types = c.ints(t, name)
		}
	}
	info, _ := c.file.Lookup("input_ids")
	c.length = info.Shape[1]
	for row := 0; row < len(ids); row += c.length {
		from := row + slices.Index(mask[row:row+c.length], 1)
		to := from
		for to < row+c.length && mask[to] == 1 {
			to++
		}
		c.Batch.Append(ids[from:to], types[from:to])
		c.from = append(c.from, from-row)
	}
	c.Labels = c.ints(t, "labels")
}

// Name is the folder's name and the side.
func (c *Case) Name() string { return filepath.Base(c.Dir) + "/" + c.Side }

// Floats returns a golden tensor.
func (c *Case) Floats(t testing.TB, name string) []float32 {
	t.Helper()
	data, err := c.file.Float32s(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Names returns the golden tensors' names.
func (c *Case) Names() []string {
	var names []string
	for _, i := range c.file.Tensors() {
		names = append(names, i.Name)
	}
	return names
}

// Tokens returns a padded golden tensor [rows, length, width] without its padding.
func (c *Case) Tokens(t testing.TB, name string) []float32 {
	t.Helper()
	padded := c.Floats(t, name)
	width := len(padded) / c.Batch.Rows() / c.length
	var packed []float32
	for r := range c.Batch.Rows() {
		n := c.Batch.Starts[r+1] - c.Batch.Starts[r]
		packed = append(packed, padded[(r*c.length+c.from[r])*width:][:n*width]...)
	}
	return packed
}

// Has reports whether there is a golden tensor of that name.
func (c *Case) Has(name string) bool {
	_, ok := c.file.Lookup(name)
	return ok
}

// Stored returns a tensor of the model's own file, for what the backbone does not load.
func (c *Case) Stored(t testing.TB, name string) []float32 {
	t.Helper()
	data, err := open(t, filepath.Join(c.Dir, "model.safetensors")).Float32s(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (c *Case) ints(t testing.TB, name string) []int32 {
	t.Helper()
	wide, err := c.file.Int64s(name)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]int32, len(wide))
	for i, v := range wide {
		data[i] = int32(v)
	}
	return data
}

// open keeps the file open until the test ends.
func open(t testing.TB, path string) *safetensors.File {
	t.Helper()
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() }) // opened for reading only
	stat, err := r.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Read(r, stat.Size())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// MaxDiff returns the largest absolute difference, and fails when the lengths differ;
// infinite when one is not a number.
func MaxDiff(t testing.TB, got, want []float32) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d values, want %d", len(got), len(want))
	}
	worst := 0.0
	for i := range got {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		worst = max(worst, d)
	}
	return worst
}
