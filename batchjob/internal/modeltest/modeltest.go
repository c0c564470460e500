// Package modeltest makes what tests of models begin with.
package modeltest

import (
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// Worker starts a CPU worker of one thread, which lives as long as the test.
func Worker(t testing.TB, path tensor.Path) *tensor.Worker {
	t.Helper()
	w, err := tensor.Start(tensor.Options{Device: "cpu", Threads: 1, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// BERT makes the random weights of a backbone, the same for the same configuration.
func BERT(t testing.TB, c pretrained.Config) *pretrained.Weights {
	t.Helper()
	dir := t.TempDir()
	if err := pretrained.Init(dir, c, 1); err != nil {
		t.Fatal(err)
	}
	w, err := pretrained.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return w
}
