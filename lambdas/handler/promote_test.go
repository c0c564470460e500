package handler

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// A closed stage's checkpoints go, others stay, and promoting again makes no difference.
func TestPromoteClearsTheStagesCheckpoints(t *testing.T) {
	w := done(t)
	ctx := t.Context()
	other := study.CheckpointPrefix("small", protocol.StageB, 99) + "seed=1/epoch=0001.safetensors"
	for _, key := range []string{
		study.CheckpointPrefix("small", protocol.StageA, 0) + "seed=1/epoch=0001.safetensors",
		study.CheckpointPrefix("small", protocol.StageA, 1) + "seed=2/epoch=0003.safetensors",
		other,
	} {
		if err := w.bucket.Write(ctx, key, []byte("weights")); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := w.Promote(ctx, w.request(protocol.StageA)); err != nil {
			t.Fatal(err)
		}
		left, err := w.bucket.List(ctx, "checkpoints/")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{other}, left); d != "" {
			t.Errorf("checkpoints (-want +got):\n%s", d)
		}
	}
}
