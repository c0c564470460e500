package classifier

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/head"
	"github.com/supermax-hpo/supermax/batchjob/internal/goldenmodel"
	"github.com/supermax-hpo/supermax/batchjob/internal/modeltest"
	"github.com/supermax-hpo/supermax/batchjob/optim"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// The golden README's tolerances.
const (
	absTolerance   = 2e-5 // logits, losses
	gradTolerance  = 3e-5 // gradients, element by element
	normTolerance  = 1e-4 // gradients' norms, relative
	deltaTolerance = 1e-3 // what three steps changed, relative
)

var paths = map[string]tensor.Path{"kernels": tensor.Kernels, "library": tensor.Library}

// lossVariants are the golden losses by name.
var lossVariants = map[string]struct {
	weighted  bool
	smoothing float64
}{
	"plain": {false, 0}, "weights": {true, 0}, "smooth": {false, 0.1}, "both": {true, 0.1},
}

// goldenClassifier builds a golden model with the golden head, dropout off, and one of
// the losses.
func goldenClassifier(t *testing.T, w *tensor.Worker, g *goldenmodel.Case, pooling, variant string) *Classifier {
	t.Helper()
	still := *g.Weights
	still.Config.HiddenDropoutProb, still.Config.AttentionProbsDropoutProb = 0, 0
	bias := g.Floats(t, "head.bias")
	o := Options{
		Weights:        &still,
		Head:           head.Config{Pooling: pooling, Classes: len(bias)},
		LabelSmoothing: lossVariants[variant].smoothing,
		AdamW:          optim.AdamWConfig{WeightDecay: 0.01},
	}
	if lossVariants[variant].weighted {
		o.ClassWeights = [][]float32{g.Floats(t, "class_weights")}
	}
	c, err := New(w, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	params, err := c.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range params {
		if !strings.HasPrefix(p.Name, g.Weights.Config.Prefix()) {
			params[i].Data = g.Floats(t, p.Name)
		}
	}
	if err := c.SetParameters(params); err != nil {
		t.Fatal(err)
	}
	return c
}

// eachGolden runs f for every golden model, pooling and path.
func eachGolden(t *testing.T, f func(t *testing.T, w *tensor.Worker, g *goldenmodel.Case, pooling string, pool goldenmodel.Pool)) {
	for _, g := range goldenmodel.Cases(t) {
		for name, path := range paths {
			for pooling, pool := range g.Pools {
				t.Run(g.Name()+"/"+name+"/"+pooling, func(t *testing.T) {
					f(t, modeltest.Worker(t, path), g, pooling, pool)
				})
			}
		}
	}
}

func TestGoldenLogitsAndLosses(t *testing.T) {
	eachGolden(t, func(t *testing.T, w *tensor.Worker, g *goldenmodel.Case, pooling string, pool goldenmodel.Pool) {
		if len(pool.Losses) == 0 {
			t.Fatal("no golden losses")
		}
		for variant, want := range pool.Losses {
			if _, ok := lossVariants[variant]; !ok {
				t.Fatalf("unknown loss %q", variant)
			}
			c := goldenClassifier(t, w, g, pooling, variant)
			p, err := c.Predict(Batch{Batch: g.Batch, Labels: g.Labels})
			if err != nil {
				t.Fatal(err)
			}
			if d := goldenmodel.MaxDiff(t, p.Logits, g.Floats(t, pooling+".logits")); !(d <= absTolerance) {
				t.Errorf("the logits differ by %.2g", d)
			}
			if d := math.Abs(p.Loss - want); !(d <= absTolerance) {
				t.Errorf("the %s loss is %.7f instead of %.7f", variant, p.Loss, want)
			}
		}
		c := goldenClassifier(t, w, g, pooling, "plain")
		if err := c.worker.Try(func(s *tensor.Scope) error {
			pooled := s.Read(c.tasks[0].pool(c.newPass(s, Batch{Batch: g.Batch}, nil, 0)))
			if d := goldenmodel.MaxDiff(t, pooled, g.Floats(t, pooling+".pooled")); !(d <= absTolerance) {
				t.Errorf("the pooled states differ by %.2g", d)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// roundingOf returns the norm below which a recorded gradient is rounding: a millionth of the
// largest. So small are those whose true value is zero, attention's key biases above all, since
// softmax does not see what is added to all scores; which others there are depends on the model's
// configuration.
func roundingOf(norms map[string]float64) float64 {
	return 1e-6 * slices.Max(slices.Collect(maps.Values(norms)))
}

func TestGoldenGradients(t *testing.T) {
	eachGolden(t, func(t *testing.T, w *tensor.Worker, g *goldenmodel.Case, pooling string, pool goldenmodel.Pool) {
		for variant, want := range map[string]map[string]float64{"plain": pool.GradPlain, "both": pool.GradBoth} {
			c := goldenClassifier(t, w, g, pooling, variant)
			compared, rounding := 0, roundingOf(want)
			err := c.worker.Try(func(s *tensor.Scope) error {
				b := Batch{Batch: g.Batch, Labels: g.Labels}
				s.Backward(c.loss(s, c.logits(c.newPass(s, b, nil, 0), b.Task), b))
				for i, full := range c.params.Names() {
					name := strings.TrimPrefix(full, g.Weights.Config.Prefix())
					grad, ok := s.Grad(c.params.Tensors()[i])
					if ok == slices.Contains(pool.WithoutGrad, name) {
						t.Errorf("%s has a gradient: %v", name, ok)
					}
					if !ok {
						continue
					}
					data := s.Read(grad)
					if want[name] <= rounding {
						if n := norm(data); !(n <= rounding) {
							t.Errorf("%s: gradient of %s has norm %v instead of zero", variant, name, n)
						}
						continue
					}
					if n := norm(data); !(math.Abs(n-want[name]) <= normTolerance*want[name]) {
						t.Errorf("%s: gradient of %s has norm %v instead of %v", variant, name, n, want[name])
					}
					compared++
					if full := pooling + ".grad." + name; variant == "both" && slices.Contains(g.Names(), full) {
						if d := goldenmodel.MaxDiff(t, data, g.Floats(t, full)); !(d <= gradTolerance) {
							t.Errorf("gradient of %s differs by %.2g", name, d)
						}
					}
				}
				return nil
			})
			if err != nil || compared == 0 {
				t.Fatalf("compared %d gradients: %v", compared, err)
			}
		}
	})
}

func TestGoldenThreeSteps(t *testing.T) {
	eachGolden(t, func(t *testing.T, w *tensor.Worker, g *goldenmodel.Case, pooling string, pool goldenmodel.Pool) {
		const steps, lr = 3, 1e-3
		want := pool.AfterThree
		if len(want.Losses) != steps+1 {
			t.Fatalf("%d golden losses for %d steps", len(want.Losses), steps)
		}
		c := goldenClassifier(t, w, g, pooling, "both")
		before, err := c.Parameters()
		if err != nil {
			t.Fatal(err)
		}
		for i := range steps {
			r, err := c.Train(Step{Number: int64(i), LR: lr, Micro: []Batch{{Batch: g.Batch, Labels: g.Labels}}})
			if err != nil {
				t.Fatal(err)
			}
			if !(math.Abs(r.Loss-want.Losses[i]) <= absTolerance) {
				t.Errorf("the loss before step %d is %.7f instead of %.7f", i, r.Loss, want.Losses[i])
			}
		}
		p, err := c.Predict(Batch{Batch: g.Batch, Labels: g.Labels})
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(p.Loss-want.Losses[steps]) <= absTolerance) {
			t.Errorf("the loss after is %.7f instead of %.7f", p.Loss, want.Losses[steps])
		}
		if d := goldenmodel.MaxDiff(t, p.Logits, g.Floats(t, pooling+".after3.logits")); !(d <= 10*absTolerance) {
			t.Errorf("the logits after differ by %.2g", d)
		}
		after, err := c.Parameters()
		if err != nil {
			t.Fatal(err)
		}
		checkChange(t, g.Weights.Config.Prefix(), before, after, pool)
		for _, a := range after {
			if a.Name == "head.weight" {
				if d := goldenmodel.MaxDiff(t, a.Data, want.HeadWeight); !(d <= absTolerance) {
					t.Errorf("the head's weight after differs by %.2g", d)
				}
			}
		}
	})
}

// checkChange compares how far every parameter went. AdamW makes steps of rounding too, as long
// as any other, so that parameters without a true gradient are passed over.
func checkChange(t *testing.T, prefix string, before, after []tensor.Array, pool goldenmodel.Pool) {
	t.Helper()
	want, rounding := pool.AfterThree, roundingOf(pool.GradBoth)
	for i, a := range after {
		name := strings.TrimPrefix(a.Name, prefix)
		if g, ok := pool.GradBoth[name]; ok && g <= rounding {
			continue
		}
		delta := make([]float32, len(a.Data))
		for j := range delta {
			delta[j] = a.Data[j] - before[i].Data[j]
		}
		if slices.Contains(pool.WithoutGrad, name) {
			if norm(delta) != 0 {
				t.Errorf("%s has no gradient but changed by %v", name, norm(delta))
			}
			continue
		}
		if w, ok := want.DeltaNorm[name]; ok && !(math.Abs(norm(delta)-w) <= deltaTolerance*w) {
			t.Errorf("%s changed by %v instead of %v", name, norm(delta), w)
		}
		if w, ok := want.ParamNorm[name]; ok && !(math.Abs(norm(a.Data)-w) <= normTolerance*w) {
			t.Errorf("%s has norm %v instead of %v", name, norm(a.Data), w)
		}
	}
}

func norm(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
