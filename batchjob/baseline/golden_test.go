package baseline

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/tests/goldentest"
)

func readGolden(t *testing.T, file string, to any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func goldenDocs(t *testing.T) []string {
	t.Helper()
	var docs []string
	readGolden(t, filepath.Join(goldentest.Dir(t, "tfidf"), "docs.json"), &docs)
	return docs
}

// near compares with a tolerance that is absolute below 1 and relative above.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestGoldenTFIDF(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(goldentest.Dir(t, "tfidf"), "tfidf_*.json"))
	if err != nil {
		t.Fatal(err)
	}
	docs := goldenDocs(t)
	checked := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var want struct {
				Params struct {
					MaxFeatures  int     `json:"max_features"`
					NGramRange   [2]int  `json:"ngram_range"`
					Sublinear    bool    `json:"sublinear_tf"`
					MinDF        int     `json:"min_df"`
					MaxDF        float64 `json:"max_df"`
					StopWords    *string `json:"stop_words"`
					StripAccents *string `json:"strip_accents"`
				} `json:"params"`
				Vocabulary []string  `json:"vocabulary"`
				IDF        []float64 `json:"idf"`
				Rows       map[string]struct {
					Idx []int     `json:"idx"`
					Val []float64 `json:"val"`
				} `json:"rows"`
				NNZ int     `json:"nnz"`
				Sum float64 `json:"sum"`
			}
			readGolden(t, file, &want)
			p := want.Params
			if p.StopWords != nil || p.StripAccents != nil || p.NGramRange[0] != 1 || p.MaxFeatures > 0 && p.MaxFeatures <= len(want.Vocabulary) {
				t.Skip("the baseline has no stop words, accent stripping or truncated vocabulary")
			}
			checked++
			v, err := FitTFIDF(docs, TermOptions{MaxN: p.NGramRange[1], Sublinear: p.Sublinear, MinDF: p.MinDF, MaxDF: p.MaxDF})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want.Vocabulary, v.terms); d != "" {
				t.Fatalf("vocabulary (-want +got):\n%s", d)
			}
			for i, idf := range want.IDF {
				near(t, "idf of "+v.terms[i], v.idf[i], idf, 1e-12)
			}
			entries, sum := 0, 0.0
			for i, doc := range docs {
				row := v.Transform(doc)
				entries += len(row.Index)
				for _, x := range row.Value {
					sum += x
				}
				if golden, ok := want.Rows[strconv.Itoa(i)]; ok {
					if d := cmp.Diff(golden.Idx, append([]int{}, row.Index...)); d != "" {
						t.Fatalf("document %d: terms (-want +got):\n%s", i, d)
					}
					for k, x := range golden.Val {
						near(t, "value", row.Value[k], x, 1e-12)
					}
				}
			}
			if entries != want.NNZ {
				t.Errorf("%d entries, want %d", entries, want.NNZ)
			}
			near(t, "sum", sum, want.Sum, 1e-12)
		})
	}
	if checked == 0 {
		t.Error("no golden case was checked")
	}
}

func TestGoldenLogistic(t *testing.T) {
	var want struct {
		Y         []int     `json:"y"`
		C         float64   `json:"C"`
		Intercept []float64 `json:"intercept"`
		Norm      float64   `json:"coef_l2"`
		First     []float64 `json:"proba_first20"`
	}
	readGolden(t, filepath.Join(goldentest.Dir(t, "tfidf"), "logreg.json"), &want)
	docs := goldenDocs(t)
	v, err := FitTFIDF(docs, TermOptions{MaxN: 2})
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]Vector, len(docs))
	for i, doc := range docs {
		rows[i] = v.Transform(doc)
	}
	m, err := FitLogistic(rows, want.Y, v.Features(), want.C, false)
	if err != nil {
		t.Fatal(err)
	}
	// The golden numbers are where scikit-learn stops at its default tol = 1e-4. With tol = 1e-10
	// it moves by up to 1.6e-3 (bias and norm) and 1.3e-3 (probabilities), to our optimum; that
	// ours is one, TestLogisticGradientVanishes shows.
	const early = 2e-3
	norm := 0.0
	for _, w := range m.Weights {
		norm += w * w
	}
	near(t, "bias", m.Bias, want.Intercept[0], early)
	near(t, "norm of the weights", math.Sqrt(norm), want.Norm, early)
	if len(want.First) == 0 {
		t.Error("no golden probability")
	}
	for i, p := range want.First {
		near(t, "probability", m.Probability(rows[i]), p, early)
	}
}
