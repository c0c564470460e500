package tensor

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// Options of a [Worker].
type Options struct {
	Device  string // "cpu" or "cuda:N"
	Threads int    // of the library on the CPU, at least 1
	Path    Path   // the zero value chooses by device
}

// A Path is how the fused steps of a network are computed.
type Path int

const (
	// AutoPath is Kernels on the CPU and Library elsewhere.
	AutoPath Path = iota
	// Kernels are our own CPU kernels: fused, fast for small models.
	Kernels
	// Library composes the tensor library's operations: the reference, and the GPU's path.
	Library
)

// A Worker is a goroutine that holds its OS thread and owns a [Scope]: the library keeps
// errors, gradient mode and thread pools by thread. Its methods may be called from any
// goroutine; calls run one after the other.
type Worker struct {
	jobs   chan job
	quit   chan struct{}
	close  sync.Once
	device device
}

type job struct {
	f    func(*Scope)
	done chan<- outcome
}

// outcome is how a job ended: without fault, with an error, or with a panic that is not
// an operation's.
type outcome struct {
	err   error
	panic any
}

// ErrClosed is returned by a [Worker] after Close.
var ErrClosed = errors.New("the tensor worker is closed")

// Start checks the device and starts a worker on it.
func Start(o Options) (*Worker, error) {
	if o.Threads < 1 {
		return nil, fmt.Errorf("start tensor worker: %d threads, at least 1 is needed", o.Threads)
	}
	d, err := openDevice(o.Device)
	if err != nil {
		return nil, fmt.Errorf("start tensor worker: %w", err)
	}
	path := o.Path
	if path == AutoPath {
		path = Kernels
		if d != cpuDevice {
			path = Library
		}
	}
	if path == Kernels && d != cpuDevice {
		return nil, fmt.Errorf("start tensor worker: %w", &DeviceError{o.Device, "our own kernels run on the CPU alone"})
	}
	w := &Worker{jobs: make(chan job), quit: make(chan struct{}), device: d}
	started := make(chan error)
	go w.run(newScope(d, path), o.Threads, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start tensor worker: %w", err)
	}
	return w, nil
}

// run is the worker's goroutine. It never unlocks its thread, so that the thread ends
// with it and nobody inherits its settings.
func (w *Worker) run(s *Scope, threads int, started chan<- error) {
	defer w.Close()
	runtime.LockOSThread()
	kernels.KeepMemory()
	if err := kernels.SetThreads(threads); err != nil {
		started <- newOpError("set threads", err.Error(), false)
		return
	}
	close(started)
	for {
		select {
		case j := <-w.jobs:
			serve(s, j)
		case <-w.quit:
			return
		}
	}
}

// serve runs a job and answers it, even when the job ends the goroutine, as a failing
// test does.
func serve(s *Scope, j job) {
	o := outcome{err: ErrClosed}
	defer func() { j.done <- o }()
	o = s.do(j.f)
}

// Do runs f on the worker's thread and frees every tensor that f made in the scope. The
// first operation that fails ends f and is Do's error, an [*OpError]; any other panic of
// f becomes the caller's. f must not call Do.
func (w *Worker) Do(f func(*Scope)) error {
	done := make(chan outcome, 1)
	select {
	case w.jobs <- job{f, done}:
	case <-w.quit:
		return ErrClosed
	}
	o := <-done
	if o.panic != nil {
		panic(o.panic)
	}
	return o.err
}

// Try is Do for an f that may fail: f's error is returned where no operation failed.
func (w *Worker) Try(f func(*Scope) error) error {
	var failed error
	if err := w.Do(func(s *Scope) { failed = f(s) }); err != nil {
		return err
	}
	return failed
}

// Device returns the device's name.
func (w *Worker) Device() string { return w.device.String() }

// Close lets the call that runs finish and ends the worker. It may be called twice.
func (w *Worker) Close() { w.close.Do(func() { close(w.quit) }) }
