package tensor

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

func startWorker(t testing.TB, path Path) *Worker {
	t.Helper()
	w, err := Start(Options{Device: "cpu", Threads: 1, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// do runs f in a worker's scope and fails the test on an error or a leak.
func do(t testing.TB, path Path, f func(*Scope)) {
	t.Helper()
	before := LiveTensors()
	if err := startWorker(t, path).Do(f); err != nil {
		t.Fatal(err)
	}
	if n := LiveTensors(); n != before {
		t.Errorf("%d live tensors, %d before", n, before)
	}
}

func TestOperationFails(t *testing.T) {
	w := startWorker(t, Kernels)
	before := LiveTensors()
	// Twice, and after calls that succeeded: an old result must never pass for a new one.
	for range 2 {
		reached := false
		err := w.Do(func(s *Scope) {
			a, b := s.Floats([]float32{1, 2, 3}, 3), s.Floats([]float32{1, 2}, 2)
			s.Add(a, a)
			s.Add(a, b)
			reached = true
		})
		var op *OpError
		if !errors.As(err, &op) || op.Op != "add" || !strings.Contains(op.Message, "must match the size") {
			t.Errorf("got %v", err)
		}
		if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "frame #") {
			t.Errorf("the error has a stack trace: %v", err)
		}
		if reached {
			t.Error("the failed operation returned")
		}
		if errors.Is(err, ErrOutOfMemory) {
			t.Error("it counts as out of memory")
		}
	}
	if n := LiveTensors(); n != before {
		t.Errorf("%d live tensors, %d before", n, before)
	}
	if err := w.Do(func(s *Scope) {
		if got := s.Read(s.Add(s.Floats([]float32{1}, 1), s.Floats([]float32{2}, 1))); got[0] != 3 {
			t.Errorf("got %v", got)
		}
	}); err != nil {
		t.Errorf("the scope does not work after an error: %v", err)
	}
}

// Errors of our own C++ functions are recovered like the library's.
func TestKernelFails(t *testing.T) {
	w := startWorker(t, Kernels)
	for name, f := range map[string]func(s *Scope, m, v T, p *Packed){
		"vector":      func(s *Scope, _, v T, _ *Packed) { s.AddNorm(v, v, v, v, 1e-12, Drop{}) },
		"shapes":      func(s *Scope, m, _ T, _ *Packed) { s.AddNorm(m, s.Transpose(m, 0, 1), m, m, 1e-12, Drop{}) },
		"norm's size": func(s *Scope, m, v T, _ *Packed) { s.AddNorm(m, m, v, v, 1e-12, Drop{}) },
		"heads":       func(s *Scope, m, _ T, p *Packed) { s.Attention(m, m, m, p, 2, Drop{}) },
		"rows":        func(s *Scope, m, _ T, _ *Packed) { s.Attention(m, m, m, s.Pack([]int{0, 1}, false, 0), 1, Drop{}) },
		"no keys":     func(s *Scope, m, _ T, _ *Packed) { s.Dropout(m, Randomness{}.At(0, Keys{}, 0.5)) },
		"too few keys": func(s *Scope, m, _ T, p *Packed) {
			s.Dropout(m, Randomness{}.At(0, s.Pack([]int{0, 1}, true, 0).TokenKeys(), 0.5))
		},
		"probability":     func(s *Scope, m, _ T, p *Packed) { s.Dropout(m, Randomness{}.At(0, p.TokenKeys(), 1)) },
		"integers":        func(s *Scope, _, _ T, _ *Packed) { s.GELU(s.Indices([]int32{1})) },
		"not a scalar":    func(s *Scope, m, _ T, _ *Packed) { s.Backward(m) },
		"no gradient":     func(s *Scope, m, _ T, _ *Packed) { s.Backward(s.Sum(m)) },
		"wrong size":      func(s *Scope, m, _ T, _ *Packed) { s.Write(m, []float32{1}) },
		"several items":   func(s *Scope, m, _ T, _ *Packed) { s.Item(m) },
		"shape of data":   func(s *Scope, _, _ T, _ *Packed) { s.Floats([]float32{1, 2, 3}, 2, 2) },
		"no data":         func(s *Scope, _, _ T, _ *Packed) { s.Floats(nil, 0) },
		"empty row":       func(s *Scope, _, _ T, _ *Packed) { s.Pack([]int{0, 2, 2}, false, 0) },
		"no row":          func(s *Scope, _, _ T, _ *Packed) { s.Pack([]int{0}, false, 0) },
		"not owned":       func(s *Scope, m, _ T, _ *Packed) { s.Keep(s.Keep(m)) },
		"index too large": func(s *Scope, m, _ T, _ *Packed) { s.Rows(m, s.Indices([]int32{7})) },
	} {
		t.Run(name, func(t *testing.T) {
			var kept T
			err := w.Do(func(s *Scope) {
				m := s.Floats([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
				if name == "not owned" {
					kept = m
				}
				f(s, m, s.Floats([]float32{1, 2}, 2), s.Pack([]int{0, 2}, true, 0))
			})
			Free(kept)
			var op *OpError
			if !errors.As(err, &op) || op.Message == "" || strings.Contains(op.Message, "\n") {
				t.Errorf("got %v", err)
			}
		})
	}
	if n := LiveTensors(); n != 0 {
		t.Errorf("%d live tensors", n)
	}
}

func TestOutOfMemory(t *testing.T) {
	const n = 1 << 21 // n · n floats are 16 TiB
	err := startWorker(t, Kernels).Do(func(s *Scope) {
		x := make([]float32, n)
		s.MatMul(s.Floats(x, n, 1), s.Floats(x, 1, n))
	})
	if !errors.Is(err, ErrOutOfMemory) {
		t.Errorf("got %v", err)
	}
}

func TestPanicPassesOn(t *testing.T) {
	w := startWorker(t, Kernels)
	before := LiveTensors()
	func() {
		defer func() {
			if r := recover(); r != "mine" {
				t.Errorf("recovered %v", r)
			}
		}()
		_ = w.Do(func(s *Scope) {
			s.Floats([]float32{1}, 1)
			panic("mine")
		})
	}()
	if n := LiveTensors(); n != before {
		t.Errorf("%d live tensors, %d before", n, before)
	}
	if err := w.Do(func(*Scope) {}); err != nil {
		t.Error(err)
	}
}

func TestWorkerEnds(t *testing.T) {
	w := startWorker(t, Kernels)
	w.Close()
	if err := w.Do(func(*Scope) {}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v after Close", err)
	}
	w = startWorker(t, Kernels)
	if err := w.Do(func(*Scope) { runtime.Goexit() }); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v when the goroutine ends", err)
	}
}

// Many goroutines may use one worker, and several workers may run.
func TestWorkersConcurrently(t *testing.T) {
	before := LiveTensors()
	workers := []*Worker{startWorker(t, Kernels), startWorker(t, Library)}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 20 {
				err := workers[i%2].Do(func(s *Scope) {
					x := s.Floats([]float32{float32(i)}, 1)
					if got := s.Item(s.Add(x, x)); got != float64(2*i) {
						t.Errorf("got %v", got)
					}
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := LiveTensors(); n != before {
		t.Errorf("%d live tensors, %d before", n, before)
	}
}

func TestStartRefuses(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Device: "cpu"}, "at least 1"},
		{Options{Device: "gpu", Threads: 1}, `device "gpu": no such device, allowed are cpu and cuda:N`},
		{Options{Device: "cuda:-1", Threads: 1}, "no such device"},
		{Options{Device: "cuda:999", Threads: 1}, `device "cuda:999"`},
	} {
		w, err := Start(c.o)
		if err == nil {
			w.Close()
			t.Errorf("%+v was accepted", c.o)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v", c.o, err)
		}
	}
}

func TestParameters(t *testing.T) {
	before := LiveTensors()
	p := NewParams()
	onWorker := func(f func(*Scope)) {
		t.Helper()
		if err := startWorker(t, Kernels).Do(f); err != nil {
			t.Fatal(err)
		}
	}
	arrays := []Array{{"a", []int{2, 2}, []float32{1, 2, 3, 4}}, {"b", []int{1}, []float32{5}}}
	onWorker(func(s *Scope) {
		for _, a := range arrays {
			p.Add(s, a)
		}
	})
	if n := LiveTensors() - before; n != 2 {
		t.Errorf("%d live tensors", n)
	}
	onWorker(func(s *Scope) { // in another scope, on another thread
		if got := p.Export(s); !slices.EqualFunc(got, arrays, func(a, b Array) bool { return a.Name == b.Name && slices.Equal(a.Data, b.Data) }) {
			t.Errorf("got %v", got)
		}
		a, _ := p.Find("a")
		s.Backward(s.Sum(s.Mul(a, a)))
		g, ok := s.Grad(a)
		if !ok || !slices.Equal(s.Read(g), []float32{2, 4, 6, 8}) {
			t.Errorf("gradient %v", ok)
		}
		s.ClearGrads(p.Tensors())
		if _, ok := s.Grad(a); ok {
			t.Error("the gradient stays")
		}
		for _, bad := range [][]Array{
			arrays[:1], {arrays[0], arrays[0]}, {arrays[0], {"c", []int{1}, []float32{1}}},
			{arrays[0], {"b", []int{1}, []float32{1, 2}}}, {{"a", []int{4}, arrays[0].Data}, arrays[1]},
		} {
			bad[0].Data = []float32{9, 9, 9, 9}
			if err := p.Import(s, bad); err == nil {
				t.Errorf("%v was accepted", bad)
			}
			bad[0].Data = arrays[0].Data
		}
		if got := s.Read(a); !slices.Equal(got, []float32{1, 2, 3, 4}) {
			t.Errorf("a refused import left %v", got)
		}
		if err := p.Import(s, []Array{{"b", []int{1}, []float32{6}}, {"a", []int{2, 2}, []float32{4, 3, 2, 1}}}); err != nil {
			t.Error(err)
		}
		if got := s.Read(a); !slices.Equal(got, []float32{4, 3, 2, 1}) {
			t.Errorf("got %v", got)
		}
	})
	p.Free()
	if n := LiveTensors(); n != before {
		t.Errorf("%d live tensors, %d before", n, before)
	}
}

func TestPeakMemory(t *testing.T) {
	if err := ResetPeakMemory(); err != nil {
		t.Fatal(err)
	}
	before, err := PeakMemory()
	if err != nil {
		t.Fatal(err)
	}
	const size = 256 << 20
	do(t, Kernels, func(s *Scope) {
		s.MatMul(s.Floats(make([]float32, 8192), 8192, 1), s.Floats(make([]float32, 8192), 1, 8192)) // 256 MiB
	})
	after, err := PeakMemory()
	if err != nil {
		t.Fatal(err)
	}
	if after-before < size*9/10 || after-before > 2*size {
		t.Errorf("peak memory went from %d to %d for %d bytes", before, after, size)
	}
	if err := ResetPeakMemory(); err != nil {
		t.Fatal(err)
	}
	if again, _ := PeakMemory(); again >= after-size/2 {
		t.Errorf("peak memory is %d after a reset, was %d", again, after)
	}
}
