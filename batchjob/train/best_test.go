package train

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// confirm is the whole work of stage C's first fold.
func confirm(attempt int) protocol.Work {
	w := work(0, 6, 1)
	w.Attempt, w.Fold = attempt, new(int)
	return w
}

// An attempt that was frozen for so long that another took its trial over, and that does
// not know it yet when it wakes up, must not put its own best weights over the later ones.
func TestLateAttemptLeavesTheBestWeights(t *testing.T) {
	f := newFixture(t)
	script := []float64{0.3, 0.6, 0.9, 0.8} // untrained, epoch 1, the best epoch 2, …
	ctx, lost := context.WithCancel(t.Context())
	late := &fakeModel{accuracy: script}
	late.train = func(n int) error {
		switch n {
		case 3: // of four steps an epoch
			runWork(t, f.fake(t, protocol.StageC, &fakeModel{accuracy: script}), confirm(1))
		case 4:
			lost()
		}
		return nil
	}
	if _, err := f.fake(t, protocol.StageC, late).Run(ctx, confirm(0)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the context's end", err)
	}
	_, best := tensors(t, f, "checkpoints/study=s/trial=5/seed=1/best-epoch=0002.safetensors")
	if diff := cmp.Diff(map[string][]float32{"w": {8}}, best); diff != "" {
		t.Errorf("best weights (-want +got):\n%s", diff)
	}
}

// Of the best weights so far only the last stay, also those that another attempt wrote.
func TestFormerBestWeightsGo(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	first := &fakeModel{accuracy: []float64{0.3, 0.5, 0.6, 0.6}}
	first.train = func(n int) error {
		if n == 13 { // in the fourth epoch
			cancel()
		}
		return nil
	}
	if _, err := f.fake(t, protocol.StageC, first).Run(ctx, confirm(0)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the context's end", err)
	}
	wantKeys(t, f, "best-epoch=0002.safetensors", "epoch=0003.safetensors")
	runWork(t, f.fake(t, protocol.StageC, &fakeModel{accuracy: []float64{0.6, 0.9}}), confirm(1))
	wantKeys(t, f, "best-epoch=0005.safetensors", "epoch=0006.safetensors")
}

// wantKeys checks what seed 1 keeps.
func wantKeys(t *testing.T, f *fixture, names ...string) {
	t.Helper()
	got, err := f.bucket.List(t.Context(), "checkpoints/")
	check(t, err)
	for i := range names {
		names[i] = "checkpoints/study=s/trial=5/seed=1/" + names[i]
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("checkpoints (-want +got):\n%s", diff)
	}
}
