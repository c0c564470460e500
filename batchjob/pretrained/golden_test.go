package pretrained

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// cases returns the golden folders whose model_type is implemented.
func cases(t *testing.T) []string {
	t.Helper()
	var cases []string
	for _, dir := range goldentest.Cases(t, "config.json", "models") {
		if _, err := LoadConfig(dir); err != nil {
			t.Error(err)
			continue
		}
		cases = append(cases, dir)
	}
	return cases
}

// The same model with the head's prefix, without, and with TensorFlow's LayerNorm names
// gives the same parameters.
func TestGoldenNamesAgree(t *testing.T) {
	variants := 0
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			want, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range Params(want.Config) {
				if _, ok := want.Find(s.Name); !ok && !s.Optional {
					t.Errorf("%s is missing", s.Name)
				}
			}
			others, err := filepath.Glob(filepath.Join(dir, "*", "model.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			variants += len(others)
			for _, path := range others {
				got, err := LoadFile(path, want.Config)
				if err != nil {
					t.Error(err)
					continue
				}
				if !reflect.DeepEqual(want.Params, got.Params) { // [cmp.Diff] takes its time
					t.Errorf("%s differs (-want +got):\n%.2000s", path, cmp.Diff(want.Params, got.Params))
				}
			}
		})
	}
	if variants == 0 {
		goldentest.None(t, "no golden model comes in other names too")
	}
}

// A file cut anywhere, or with its header's length changed, is refused.
func TestGoldenTruncated(t *testing.T) {
	for _, dir := range cases(t) {
		c, err := LoadConfig(dir)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "model.safetensors")
		for _, n := range []int{0, 7, 8, 9, 1000, len(whole) / 2, len(whole) - 1} {
			if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := LoadFile(path, c); err == nil {
				t.Errorf("%d of %d bytes were accepted", n, len(whole))
			}
		}
	}
}
