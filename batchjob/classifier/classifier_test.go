package classifier

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/supermax-hpo/supermax/batchjob/head"
	"github.com/supermax-hpo/supermax/batchjob/internal/modeltest"
	"github.com/supermax-hpo/supermax/batchjob/optim"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// tinyWeights makes a small BERT with random weights.
func tinyWeights(t testing.TB) *pretrained.Weights {
	t.Helper()
	c := pretrained.DefaultConfig()
	c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads = 100, 16, 2, 2
	c.IntermediateSize, c.MaxPositionEmbeddings = 32, 32
	return modeltest.BERT(t, c)
}

// randomBatch makes rows of 4 to longest tokens; the class is told by the second token.
func randomBatch(rng *rand.Rand, rows, longest, vocabulary int) Batch {
	var b Batch
	for range rows {
		ids := make([]int32, 4+rng.IntN(longest-3))
		for i := range ids {
			ids[i] = int32(4 + rng.IntN(vocabulary-4))
		}
		label := int32(rng.IntN(2))
		ids[0], ids[1] = 1, 2+label
		b.Append(ids, make([]int32, len(ids)))
		b.Labels = append(b.Labels, label)
	}
	return b
}

func newTiny(t testing.TB, w *tensor.Worker, change func(*Options)) *Classifier {
	t.Helper()
	o := Options{
		Weights:     tinyWeights(t),
		Head:        head.Config{Pooling: "cls", HiddenDim: 8, Layers: 1, Activation: "gelu", Dropout: 0.1, Classes: 2},
		Seed:        5,
		MaxGradNorm: 1,
		AdamW:       optim.AdamWConfig{WeightDecay: 0.01, Decay: optim.DecayWeights},
	}
	if change != nil {
		change(&o)
	}
	c, err := New(w, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func train(t testing.TB, c *Classifier, step int, batches ...Batch) StepResult {
	t.Helper()
	r, err := c.Train(Step{Number: int64(step), LR: 1e-2, Micro: batches})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// 100 training steps leave as many tensors and as much memory as 10 did, and learn.
func TestTrainingLeaksNothing(t *testing.T) {
	before := tensor.LiveTensors()
	w := modeltest.Worker(t, tensor.Kernels)
	c := newTiny(t, w, nil)
	rng := rand.New(rand.NewPCG(1, 1))
	held := tensor.LiveTensors()
	first, last := 0.0, 0.0
	for step := range 100 {
		r := train(t, c, step, randomBatch(rng, 16, 12, 100))
		if step < 10 {
			first += r.Loss / 10
		}
		if step >= 90 {
			last += r.Loss / 10
		}
		if n := tensor.LiveTensors(); n != held {
			t.Fatalf("%d live tensors after step %d, %d before", n, step, held)
		}
		if r.Forward <= 0 || r.Backward <= 0 || r.Optimizer <= 0 || r.GradNorm <= 0 {
			t.Fatalf("step %d measured %+v", step, r)
		}
	}
	if last > first/2 {
		t.Errorf("the loss went from %.3f to %.3f", first, last)
	}
	for range 3 {
		if _, err := c.Predict(randomBatch(rng, 16, 12, 100)); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	c.Close() // twice does no harm
	if n := tensor.LiveTensors(); n != before {
		t.Errorf("%d live tensors at the end, %d before", n, before)
	}
}

// The process's memory stays where it is over many steps: nothing leaks behind the handles.
func TestTrainingMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	c := newTiny(t, modeltest.Worker(t, tensor.Kernels), nil)
	b := randomBatch(rand.New(rand.NewPCG(1, 1)), 16, 12, 100)
	run := func(steps int) {
		for step := range steps {
			train(t, c, step, b)
			if _, err := c.Predict(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	peak := func() int64 {
		if err := tensor.ResetPeakMemory(); err != nil {
			t.Fatal(err)
		}
		run(100)
		n, err := tensor.PeakMemory()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	run(100)
	early := peak()
	run(500)
	// One tensor of the batch is 10 KB: one leaked a step would be 6 MB.
	if late := peak(); late > early+4<<20 {
		t.Errorf("peak memory went from %d to %d bytes in 600 steps", early, late)
	}
}

// A run that is resumed from its parameters and optimizer state is the same run, bit by
// bit, dropout included.
func TestResumeIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	batches := make([]Batch, 6)
	for i := range batches {
		batches[i] = randomBatch(rng, 8, 12, 100)
	}
	w := modeltest.Worker(t, tensor.Kernels)
	c := newTiny(t, w, nil)
	var params []tensor.Array
	var states []optim.ParamState
	var losses []float64
	for i, b := range batches {
		if i == 3 {
			var err error
			if params, err = c.Parameters(); err != nil {
				t.Fatal(err)
			}
			if states, err = c.OptimizerState(); err != nil {
				t.Fatal(err)
			}
		}
		losses = append(losses, train(t, c, i, b).Loss)
	}
	want, err := c.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	resumed := newTiny(t, modeltest.Worker(t, tensor.Kernels), func(o *Options) { o.AdamW.WeightDecay = 0.01 })
	if err := resumed.SetParameters(params); err != nil {
		t.Fatal(err)
	}
	if err := resumed.SetOptimizerState(states); err != nil {
		t.Fatal(err)
	}
	for i := 3; i < len(batches); i++ {
		if l := train(t, resumed, i, batches[i]).Loss; l != losses[i] {
			t.Errorf("step %d: loss %v after resuming, %v without", i, l, losses[i])
		}
	}
	got, err := resumed.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the parameters differ (-want +got):\n%.1000s", diff)
	}
}

// Both paths drop the same elements, so that whole training steps agree.
func TestPathsTrainAlike(t *testing.T) {
	for _, pooling := range head.Poolings {
		t.Run(pooling, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 3))
			change := func(o *Options) { o.Head.Pooling = pooling; o.Head.Dropout = 0.3 }
			a := newTiny(t, modeltest.Worker(t, tensor.Kernels), change)
			b := newTiny(t, modeltest.Worker(t, tensor.Library), change)
			for step := range 4 {
				batch := randomBatch(rng, 8, 12, 100)
				x, y := train(t, a, step, batch), train(t, b, step, batch)
				if d := math.Abs(x.Loss - y.Loss); !(d <= 2e-4) {
					t.Errorf("step %d: losses %v and %v", step, x.Loss, y.Loss)
				}
				if d := math.Abs(x.GradNorm - y.GradNorm); !(d <= 2e-3*y.GradNorm) {
					t.Errorf("step %d: gradient norms %v and %v", step, x.GradNorm, y.GradNorm)
				}
			}
		})
	}
}

// Micro-batches of one size are one large batch: the loss and its gradient are means, and
// dropout goes by the row's place in the step.
func TestAccumulation(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	halves := []Batch{randomBatch(rng, 8, 12, 100), randomBatch(rng, 8, 12, 100)}
	whole := Batch{Labels: append(append([]int32{}, halves[0].Labels...), halves[1].Labels...)}
	for _, h := range halves {
		for r := range h.Rows() {
			whole.Append(h.IDs[h.Starts[r]:h.Starts[r+1]], h.TypeIDs[h.Starts[r]:h.Starts[r+1]])
		}
	}
	w := modeltest.Worker(t, tensor.Kernels)
	a, b := newTiny(t, w, nil), newTiny(t, w, nil)
	x, y := train(t, a, 0, whole), train(t, b, 0, halves...)
	if math.Abs(x.Loss-y.Loss) > 1e-6 || math.Abs(x.GradNorm-y.GradNorm) > 1e-5*x.GradNorm {
		t.Errorf("one batch gives %+v, two halves %+v", x, y)
	}
}

// A step whose loss or gradient is not finite says so and changes nothing.
func TestNotFinite(t *testing.T) {
	w := modeltest.Worker(t, tensor.Kernels)
	b := randomBatch(rand.New(rand.NewPCG(5, 5)), 4, 12, 100)
	c := newTiny(t, w, nil)
	params, err := c.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	params[0].Data[int(b.IDs[1])*16] = float32(math.NaN())
	if err := c.SetParameters(params); err != nil {
		t.Fatal(err)
	}
	_, err = c.Train(Step{Number: 7, LR: 1e-2, Micro: []Batch{b}})
	var diverged *NotFiniteError
	if !errors.As(err, &diverged) || diverged.What != "loss" || err.Error() != "the loss of step 7 is NaN" {
		t.Errorf("got %v", err)
	}
	// A finite loss whose gradients' squares exceed 32 bits.
	for i, p := range params {
		if p.Name == "head.weight" {
			for j := range p.Data {
				params[i].Data[j] = []float32{1e30, -1e30}[j*2/len(p.Data)]
			}
		}
	}
	params[0].Data[int(b.IDs[1])*16] = 0
	if err := c.SetParameters(params); err != nil {
		t.Fatal(err)
	}
	if _, err = c.Train(Step{Number: 8, LR: 1e-2, Micro: []Batch{b}}); !errors.As(err, &diverged) || diverged.What != "gradient norm" || diverged.Step != 8 {
		t.Errorf("got %v", err)
	}
	got, err := c.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(params, got); diff != "" {
		t.Errorf("the failed steps changed parameters:\n%.1000s", diff)
	}
	if states, err := c.OptimizerState(); err != nil || states != nil {
		t.Errorf("the failed steps left state %v (%v)", states, err)
	}
}

// The number of threads changes nothing but rounding.
func TestThreads(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	two, err := tensor.Start(tensor.Options{Device: "cpu", Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	a, b := newTiny(t, modeltest.Worker(t, tensor.Kernels), nil), newTiny(t, two, nil)
	for step := range 3 {
		batch := randomBatch(rng, 8, 12, 100)
		x, y := train(t, a, step, batch), train(t, b, step, batch)
		if d := math.Abs(x.Loss - y.Loss); !(d <= 1e-4) {
			t.Errorf("step %d: losses %v and %v", step, x.Loss, y.Loss)
		}
	}
}

// Dropout is off in Predict, and a prediction does not depend on the rows beside it.
func TestPredict(t *testing.T) {
	c := newTiny(t, modeltest.Worker(t, tensor.Kernels), nil)
	b := randomBatch(rand.New(rand.NewPCG(6, 6)), 5, 12, 100)
	p, err := c.Predict(b)
	if err != nil {
		t.Fatal(err)
	}
	for r := range b.Rows() {
		var one Batch
		one.Append(b.IDs[b.Starts[r]:b.Starts[r+1]], b.TypeIDs[b.Starts[r]:b.Starts[r+1]])
		q, err := c.Predict(one)
		if err != nil {
			t.Fatal(err)
		}
		if !math.IsNaN(q.Loss) {
			t.Errorf("loss %v without labels", q.Loss)
		}
		sum := 0.0
		for k := range 2 {
			if d := math.Abs(float64(p.Logits[2*r+k] - q.Logits[k])); d > 1e-5 {
				t.Errorf("row %d alone differs by %v", r, d)
			}
			sum += float64(p.Probabilities[2*r+k])
		}
		if odds := math.Log(float64(p.Probabilities[2*r])) - math.Log(float64(p.Probabilities[2*r+1])); math.Abs(odds-float64(p.Logits[2*r]-p.Logits[2*r+1])) > 1e-5 || math.Abs(sum-1) > 1e-6 {
			t.Errorf("row %d: probabilities %v of logits %v", r, p.Probabilities[2*r:2*r+2], p.Logits[2*r:2*r+2])
		}
	}
}

func TestBatchRefused(t *testing.T) {
	c := newTiny(t, modeltest.Worker(t, tensor.Kernels), nil)
	row := func(ids ...int32) Batch {
		var b Batch
		b.Append(ids, make([]int32, len(ids)))
		b.Labels = []int32{1}
		return b
	}
	for _, tc := range []struct {
		name   string
		change func(*Batch)
		want   string
	}{
		{"id", func(b *Batch) { b.IDs[1] = 100 }, "id 100, the vocabulary has 100"},
		{"negative id", func(b *Batch) { b.IDs[1] = -1 }, "id -1"},
		{"type", func(b *Batch) { b.TypeIDs[0] = 2 }, "type 2, there are 2"},
		{"label", func(b *Batch) { b.Labels[0] = 2 }, "label 2, there are 2 classes"},
		{"labels", func(b *Batch) { b.Labels = []int32{0, 1} }, "2 labels for 1 rows"},
		{"no label", func(b *Batch) { b.Labels = nil }, "0 labels for 1 rows"},
		{"starts", func(b *Batch) { b.Starts[1] = 2 }, "row starts do not cover"},
		{"types", func(b *Batch) { b.TypeIDs = b.TypeIDs[1:] }, "do not cover"},
		{"no rows", func(b *Batch) { *b = Batch{} }, "do not cover"},
		{"too long", func(b *Batch) { *b = row(make([]int32, 33)...) }, "33 tokens, allowed are 1 to 32"},
		{"empty row", func(b *Batch) { b.Starts = []int{0, 3, 3}; b.Labels = []int32{0, 0} }, "row 1 has 0 tokens"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := row(1, 2, 3)
			tc.change(&b)
			_, err := c.Train(Step{LR: 1e-3, Micro: []Batch{b}})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want …%s…", err, tc.want)
			}
		})
	}
	if _, err := c.Train(Step{Number: 3}); err == nil || !strings.Contains(err.Error(), "step 3 has no batch") {
		t.Errorf("got %v", err)
	}
	if _, err := c.Predict(row(100)); err == nil {
		t.Error("Predict takes an id out of the vocabulary")
	}
}

func TestOptionsRefused(t *testing.T) {
	w := modeltest.Worker(t, tensor.Kernels)
	before := tensor.LiveTensors()
	for name, change := range map[string]func(*Options){
		"no weights":      func(o *Options) { o.Weights = nil },
		"class weights":   func(o *Options) { o.ClassWeights = [][]float32{{1}} },
		"class 1":         func(o *Options) { o.ClassWeights = [][]float32{{1, 0}} },
		"label smoothing": func(o *Options) { o.LabelSmoothing = 1 },
		"gradient norm":   func(o *Options) { o.MaxGradNorm = -1 },
		"pooling":         func(o *Options) { o.Head.Pooling = "median" },
		"betas":           func(o *Options) { o.AdamW.Beta1 = 2 },
		"model_type":      func(o *Options) { o.Weights.Config.ModelType = "gpt" },
		"is missing":      func(o *Options) { o.Weights.Params = o.Weights.Params[1:] },
	} {
		o := Options{Weights: tinyWeights(t), Head: head.Config{Pooling: "cls", Classes: 2}}
		change(&o)
		c, err := New(w, o)
		if err == nil {
			c.Close()
			t.Errorf("%s: accepted", name)
		} else if !strings.Contains(err.Error(), strings.Fields(name)[0]) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := tensor.LiveTensors(); n != before {
		t.Errorf("%d live tensors, %d before", n, before)
	}
}

func TestClosedWorker(t *testing.T) {
	w := modeltest.Worker(t, tensor.Kernels)
	c := newTiny(t, w, nil)
	w.Close()
	if _, err := c.Train(Step{Micro: []Batch{randomBatch(rand.New(rand.NewPCG(1, 1)), 2, 8, 100)}}); !errors.Is(err, tensor.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := c.SetParameters(nil); !errors.Is(err, tensor.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// BenchmarkTrain is one step of the tiny model of the project's speed goals: 98,000
// parameters, 16 rows of 51 tokens on average, dropout 0.1, clipping and AdamW.
func BenchmarkTrain(b *testing.B) {
	for name, path := range map[string]tensor.Path{"kernels": tensor.Kernels, "library": tensor.Library} {
		b.Run(name, func(b *testing.B) {
			c := pretrained.DefaultConfig()
			c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads = 1200, 48, 2, 4
			c.IntermediateSize, c.MaxPositionEmbeddings = 64, 128
			model, err := New(modeltest.Worker(b, path), Options{Weights: modeltest.BERT(b, c), MaxGradNorm: 1, Head: head.Config{Pooling: "cls", Dropout: 0.1, Classes: 2}})
			if err != nil {
				b.Fatal(err)
			}
			defer model.Close()
			rng := rand.New(rand.NewPCG(1, 1))
			batches := make([]Batch, 20)
			for i := range batches {
				batches[i] = randomBatch(rng, 16, 98, 1200)
			}
			step := 0
			for b.Loop() {
				train(b, model, step, batches[step%len(batches)])
				step++
			}
			b.ReportMetric(float64(16*b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}
