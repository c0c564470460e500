package pretrained

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/safetensors"
	"github.com/supermax-hpo/supermax/shared/wholefile"
)

// Init writes config.json and model.safetensors of a new backbone with random weights
// into dir, which it makes when it is not there: normal(0, initializer_range) for
// matrices with a zero row for the padding token, ones for LayerNorm's weights, zeros for
// biases. Equal arguments give equal files; a parameter's values depend on the seed and
// its name alone. A folder that already holds either file is refused unchanged.
func Init(dir string, c Config, seed uint64) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("make backbone: %w", err)
	}
	for _, name := range []string{"config.json", "model.safetensors"} {
		if exists(filepath.Join(dir, name)) {
			return fmt.Errorf("make backbone: %s already exists", filepath.Join(dir, name))
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make backbone: %w", err)
	}
	var tensors []safetensors.Tensor
	for _, s := range Params(c) {
		tensors = append(tensors, safetensors.Tensor{Name: s.Name, Shape: s.Shape, Float32s: initial(s, c, seed)})
	}
	err := wholefile.WriteFrom(filepath.Join(dir, "model.safetensors"), 0o644, func(w io.Writer) error {
		return safetensors.Write(w, map[string]string{"format": "pt"}, tensors)
	})
	if err != nil {
		return fmt.Errorf("make backbone: %w", err)
	}
	err = wholefile.WriteFrom(filepath.Join(dir, "config.json"), 0o644, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(c)
	})
	if err != nil {
		return fmt.Errorf("make backbone: %w", err)
	}
	return nil
}

// normWeight are the names of LayerNorm's weights.
var normWeight = regexp.MustCompile(`(?i)layer_?norm\.weight$`)

// sinusoid is a position's code in one of so many columns: sines in the even ones and cosines
// in the odd ones (Vaswani et al. 2017, section 3.5).
func sinusoid(position, column, columns int) float32 {
	angle := float64(position) / math.Pow(10000, float64(column-column%2)/float64(columns))
	if column%2 == 0 {
		return float32(math.Sin(angle))
	}
	return float32(math.Cos(angle))
}

// initial returns the values that a parameter starts from.
func initial(s Spec, c Config, seed uint64) []float32 {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	data := make([]float32, n)
	switch {
	case normWeight.MatchString(s.Name):
		for i := range data {
			data[i] = 1
		}
	case strings.HasSuffix(s.Name, ".bias"):
	case c.SinusoidalPosEmbds && s.Name == "embeddings.position_embeddings.weight":
		for i := range data {
			position, column := i/s.Shape[1], i%s.Shape[1]
			data[i] = sinusoid(position, column, s.Shape[1])
		}
	default:
		h := fnv.New64a()
		_, _ = h.Write([]byte(s.Name)) // never fails
		rng := rand.New(rand.NewPCG(seed, h.Sum64()))
		for i := range data {
			data[i] = float32(rng.NormFloat64() * c.InitializerRange)
		}
	}
	if s.Name == wordEmbeddings(c) {
		width := s.Shape[1]
		clear(data[c.PadTokenID*width:][:width])
	}
	return data
}
