package study

import (
	"fmt"
	"testing"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// A stage whose grid has fewer configurations than the stage has trials ends after all of
// them, like one that reached its trials.
func TestGridEndsAStage(t *testing.T) {
	for _, tc := range []struct{ trials, want int }{{100, 6}, {4, 4}} {
		settings := testSettings()
		settings.Space = &space.Space{Params: []space.Param{
			{Name: "head.pooling", Kind: space.Categorical, Choices: []space.Value{space.String("cls"), space.String("mean")}},
			{Name: "optim.lr", Kind: space.FloatRange, Low: 1e-4, High: 3e-4, Step: 1e-4},
		}}
		settings.A.Trials, settings.A.Sampler = tc.trials, sampler.NameGrid
		settings.B.Trials, settings.B.Sampler, settings.B.Enqueue = 100, sampler.NameGrid, 2
		m := newSimulation(t, settings)
		for _, stage := range []protocol.Stage{protocol.StageA, protocol.StageB} {
			m.run(stage)
			want := tc.want
			if stage == protocol.StageB {
				want = 6 // two of them handed on
			}
			seen := map[string]bool{}
			for _, trial := range m.state.Trials(stage) {
				seen[fmt.Sprint(trial.point)] = true
			}
			if got := len(m.state.Trials(stage)); got != want || len(seen) != want {
				t.Errorf("%d trials: stage %s has %d of %d configurations, want %d", tc.trials, stage, got, len(seen), want)
			}
		}
	}
}
