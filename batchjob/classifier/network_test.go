package classifier

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/supermax-hpo/supermax/batchjob/head"
	"github.com/supermax-hpo/supermax/batchjob/internal/modeltest"
	"github.com/supermax-hpo/supermax/batchjob/optim"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

var networks = map[string]Network{"share": Shared, "joint": Joint}

// taskBatch is a random batch of a task.
func taskBatch(rng *rand.Rand, task, rows, longest int) Batch {
	b := randomBatch(rng, rows, longest, 100)
	b.Task = task
	return b
}

// A mixed step is one batch of each task, of equal weight.
func trainBoth(t testing.TB, c *Classifier, step int, batches [2]Batch) StepResult {
	t.Helper()
	r, err := c.Train(Step{Number: int64(step), LR: 5e-3, Micro: batches[:], Shares: []float64{0.5, 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The loss on 64 examples of each task falls to half for every network and pooling.
func TestNetworksOverfit(t *testing.T) {
	for name, network := range networks {
		for _, pooling := range head.Poolings {
			t.Run(name+"/"+pooling, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				var batches [4][2]Batch
				for i := range batches {
					batches[i] = [2]Batch{taskBatch(rng, Criteria, 16, 12), taskBatch(rng, Evidence, 16, 8)}
				}
				c := newTiny(t, modeltest.Worker(t, tensor.Kernels), func(o *Options) {
					o.Network, o.Head.Pooling, o.MaxGradNorm = network, pooling, 0
				})
				losses := func() (sum [2]float64) {
					for _, b := range batches {
						for task := range b {
							p, err := c.Predict(b[task])
							if err != nil {
								t.Fatal(err)
							}
							sum[task] += p.Loss / float64(len(batches))
						}
					}
					return sum
				}
				before := losses()
				for step := range 100 {
					trainBoth(t, c, step, batches[step%len(batches)])
				}
				for task, after := range losses() {
					if after > before[task]/2 {
						t.Errorf("the loss of task %d went from %.3f to %.3f", task, before[task], after)
					}
				}
			})
		}
	}
}

func TestParameterNames(t *testing.T) {
	w := modeltest.Worker(t, tensor.Kernels)
	names := func(network Network) []string {
		c := newTiny(t, w, func(o *Options) { o.Network, o.Head.Pooling = network, "attention" })
		return c.params.Names()
	}
	single := names(Single)
	var encoder, decision []string
	for _, n := range single {
		if strings.HasPrefix(n, "bert.") {
			encoder = append(encoder, n)
		} else {
			decision = append(decision, n)
		}
	}
	under := func(prefix string, names []string) []string {
		var out []string
		for _, n := range names {
			out = append(out, prefix+n)
		}
		return out
	}
	want := map[Network][]string{
		Single: slices.Concat(encoder, []string{"attn_pool.weight", "head.layers.0.weight", "head.layers.0.bias", "head.weight", "head.bias"}),
		Shared: slices.Concat(encoder, under("criteria.", decision), under("evidence.", decision)),
		Joint: slices.Concat(under("criteria.", encoder), under("criteria.", decision), under("evidence.", encoder), under("evidence.", decision),
			[]string{"gate.left.weight", "gate.right.weight", "gate.bias"}),
	}
	for network, want := range want {
		if diff := cmp.Diff(want, names(network)); diff != "" {
			t.Errorf("network %d (-want +got):\n%s", network, diff)
		}
	}
}

// Which parameters a task's rows train: in Shared the encoder and its head; in Joint a
// sentence only its own side, a post everything but the other head (whose pooling it uses).
func TestWhatTasksTrain(t *testing.T) {
	w := modeltest.Worker(t, tensor.Kernels)
	for name, c := range map[string]struct {
		network Network
		task    int
		trained []string
	}{
		"share criteria": {Shared, Criteria, []string{"bert.", "criteria."}},
		"share evidence": {Shared, Evidence, []string{"bert.", "evidence."}},
		"joint criteria": {Joint, Criteria, []string{"criteria.", "evidence.bert.", "evidence.attn_pool.", "gate."}},
		"joint evidence": {Joint, Evidence, []string{"evidence."}},
	} {
		t.Run(name, func(t *testing.T) {
			model := newTiny(t, w, func(o *Options) {
				o.Network, o.Head.Pooling, o.AdamW = c.network, "attention", optim.AdamWConfig{}
			})
			before, err := model.Parameters()
			if err != nil {
				t.Fatal(err)
			}
			train(t, model, 0, taskBatch(rand.New(rand.NewPCG(3, 3)), c.task, 8, 12))
			after, err := model.Parameters()
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range after {
				want := slices.ContainsFunc(c.trained, func(p string) bool { return strings.HasPrefix(a.Name, p) }) && !strings.Contains(a.Name, "pooler.")
				if got := !slices.Equal(a.Data, before[i].Data); got != want && !strings.HasSuffix(a.Name, "key.bias") { // whose true gradient is zero
					t.Errorf("%s changed: %v, want %v", a.Name, got, want)
				}
			}
		})
	}
}

// The step's loss is the weighted sum of its batches' mean losses, and its gradient is one
// gradient: two halves of a batch at half its share are the batch.
func TestShares(t *testing.T) {
	w := modeltest.Worker(t, tensor.Kernels)
	rng := rand.New(rand.NewPCG(4, 4))
	for name, network := range networks {
		t.Run(name, func(t *testing.T) {
			still := func(o *Options) {
				o.Network, o.Head.Dropout = network, 0
				o.Weights.Config.HiddenDropoutProb, o.Weights.Config.AttentionProbsDropoutProb = 0, 0
				o.ClassWeights, o.LabelSmoothing = [][]float32{{1, 3}, {2, 1}}, 0.1
			}
			a, b := newTiny(t, w, still), newTiny(t, w, still)
			batches := []Batch{taskBatch(rng, Criteria, 6, 12), taskBatch(rng, Evidence, 10, 8)}
			want := 0.0
			shares := []float64{0.3, 0.9}
			for i, batch := range batches {
				p, err := a.Predict(batch)
				if err != nil {
					t.Fatal(err)
				}
				want += shares[i] * p.Loss
			}
			x, err := a.Train(Step{LR: 1e-3, Micro: batches, Shares: shares})
			if err != nil || math.Abs(x.Loss-want) > 1e-5 {
				t.Errorf("loss %v, want %v (%v)", x.Loss, want, err)
			}
			y, err := b.Train(Step{LR: 1e-3, Micro: []Batch{batches[0], batches[1], batches[1]}, Shares: []float64{0.3, 0.4, 0.5}})
			if err != nil || math.Abs(x.GradNorm-y.GradNorm) > 1e-4*x.GradNorm {
				t.Errorf("gradient norms %v and %v (%v)", x.GradNorm, y.GradNorm, err)
			}
		})
	}
}

// The classes of each task weigh by the task's own weights.
func TestClassWeightsByTask(t *testing.T) {
	w := modeltest.Worker(t, tensor.Kernels)
	rng := rand.New(rand.NewPCG(9, 9))
	loss := func(weights [][]float32, b Batch) float64 {
		c := newTiny(t, w, func(o *Options) { o.Network, o.ClassWeights = Shared, weights })
		p, err := c.Predict(b)
		if err != nil {
			t.Fatal(err)
		}
		return p.Loss
	}
	criteria, evidence := taskBatch(rng, Criteria, 9, 12), taskBatch(rng, Evidence, 9, 12)
	plain, one, both := [][]float32(nil), [][]float32{{1, 5}, nil}, [][]float32{{1, 5}, {5, 1}}
	if loss(plain, criteria) == loss(one, criteria) || loss(plain, evidence) != loss(one, evidence) || loss(one, evidence) == loss(both, evidence) {
		t.Error("class weights reach the wrong task")
	}
}

// A run that is resumed from its parameters and optimizer state is the same run.
func TestNetworksResumeExactly(t *testing.T) {
	for name, network := range networks {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(2, 2))
			var batches [6][2]Batch
			for i := range batches {
				batches[i] = [2]Batch{taskBatch(rng, Criteria, 3, 12), taskBatch(rng, Evidence, 5, 8)}
			}
			w := modeltest.Worker(t, tensor.Kernels)
			change := func(o *Options) { o.Network = network }
			straight, first, second := newTiny(t, w, change), newTiny(t, w, change), newTiny(t, w, change)
			for i, b := range batches {
				trainBoth(t, straight, i, b)
			}
			for i, b := range batches[:3] {
				trainBoth(t, first, i, b)
			}
			params, err := first.Parameters()
			if err != nil {
				t.Fatal(err)
			}
			states, err := first.OptimizerState()
			if err != nil {
				t.Fatal(err)
			}
			if err := second.SetParameters(params); err != nil {
				t.Fatal(err)
			}
			if err := second.SetOptimizerState(states); err != nil {
				t.Fatal(err)
			}
			for i, b := range batches[3:] {
				trainBoth(t, second, 3+i, b)
			}
			want, err := straight.Parameters()
			if err != nil {
				t.Fatal(err)
			}
			got, err := second.Parameters()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the parameters differ (-want +got):\n%.1000s", diff)
			}
		})
	}
}

// Both paths train alike, and leave no tensor.
func TestNetworksOnBothPaths(t *testing.T) {
	for name, network := range networks {
		t.Run(name, func(t *testing.T) {
			before := tensor.LiveTensors()
			rng := rand.New(rand.NewPCG(7, 7))
			change := func(o *Options) { o.Network, o.Head.Dropout = network, 0.3 }
			a := newTiny(t, modeltest.Worker(t, tensor.Kernels), change)
			b := newTiny(t, modeltest.Worker(t, tensor.Library), change)
			for step := range 3 {
				batches := [2]Batch{taskBatch(rng, Criteria, 3, 12), taskBatch(rng, Evidence, 5, 8)}
				x, y := trainBoth(t, a, step, batches), trainBoth(t, b, step, batches)
				if d := math.Abs(x.Loss - y.Loss); !(d <= 2e-4) {
					t.Errorf("step %d: losses %v and %v", step, x.Loss, y.Loss)
				}
			}
			a.Close()
			b.Close()
			if n := tensor.LiveTensors(); n != before {
				t.Errorf("%d live tensors, %d before", n, before)
			}
		})
	}
}

// Gradient checkpointing changes nothing, to the last bit, in any network.
func TestGradientCheckpointing(t *testing.T) {
	for _, network := range []Network{Single, Shared, Joint} {
		rng := rand.New(rand.NewPCG(8, 8))
		w := modeltest.Worker(t, tensor.Kernels)
		kept := newTiny(t, w, func(o *Options) { o.Network = network })
		again := newTiny(t, w, func(o *Options) { o.Network, o.GradientCheckpointing = network, true })
		for step := range 3 {
			batches := []Batch{taskBatch(rng, 0, 3, 12), taskBatch(rng, network.Tasks()-1, 5, 8)}
			x, y := train(t, kept, step, batches...), train(t, again, step, batches...)
			if x.Loss != y.Loss || x.GradNorm != y.GradNorm {
				t.Errorf("network %d, step %d: %v and %v with gradient checkpointing", network, step, x, y)
			}
		}
		want, err := kept.Parameters()
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.Parameters()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("network %d: the parameters differ:\n%.1000s", network, diff)
		}
	}
}

// The two encoders of Joint start equal, and drop differently.
func TestEncodersDropDifferently(t *testing.T) {
	c := newTiny(t, modeltest.Worker(t, tensor.Kernels), func(o *Options) { o.Network = Joint })
	b := taskBatch(rand.New(rand.NewPCG(5, 5)), Criteria, 4, 12)
	if err := c.worker.Try(func(s *tensor.Scope) error {
		s.NoGrad(func() {
			for _, random := range []*tensor.Randomness{nil, {Seed: 1, Step: 2}} {
				p := c.newPass(s, b, random, 0)
				left, right := s.Read(c.tasks[Criteria].pool(p)), s.Read(c.tasks[Evidence].pool(p))
				if slices.Equal(left, right) != (random == nil) {
					t.Errorf("equal: %v with randomness %v", slices.Equal(left, right), random)
				}
			}
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestNetworksRefuse(t *testing.T) {
	w := modeltest.Worker(t, tensor.Kernels)
	before := tensor.LiveTensors()
	for want, change := range map[string]func(*Options){
		"network 3 is not known":         func(o *Options) { o.Network = 3 },
		"network -1 is not known":        func(o *Options) { o.Network = -1 },
		"class weights for 1 tasks of 2": func(o *Options) { o.Network, o.ClassWeights = Shared, [][]float32{nil} },
		"3 class weights for 2 classes":  func(o *Options) { o.Network, o.ClassWeights = Joint, [][]float32{nil, {1, 1, 1}} },
	} {
		o := Options{Weights: tinyWeights(t), Head: head.Config{Pooling: "cls", Classes: 2}}
		change(&o)
		c, err := New(w, o)
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want …%s…", err, want)
		}
	}
	if n := tensor.LiveTensors(); n != before {
		t.Errorf("%d live tensors, %d before", n, before)
	}
	single, both := newTiny(t, w, nil), newTiny(t, w, func(o *Options) { o.Network = Shared })
	rng := rand.New(rand.NewPCG(6, 6))
	for want, err := range map[string]error{
		"task 1, there are 1":                 trainError(single, Step{Micro: []Batch{taskBatch(rng, 1, 2, 8)}}),
		"task 2, there are 2":                 trainError(both, Step{Micro: []Batch{taskBatch(rng, 2, 2, 8)}}),
		"task -1, there are 2":                trainError(both, Step{Micro: []Batch{taskBatch(rng, -1, 2, 8)}}),
		"step 4 has 2 shares for 1 batches":   trainError(both, Step{Number: 4, Micro: []Batch{taskBatch(rng, 0, 2, 8)}, Shares: []float64{1, 1}}),
		"batch: token 0 has id 100, the voca": trainError(both, Step{Micro: []Batch{wrongID(taskBatch(rng, 1, 2, 8))}}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want …%s…", err, want)
		}
	}
}

func trainError(c *Classifier, s Step) error { _, err := c.Train(s); return err }

func wrongID(b Batch) Batch { b.IDs[0] = 100; return b }
