package baseline

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/shared/config"
)

func sampleExamples(t testing.TB, agent string) []dataset.Example {
	t.Helper()
	c, err := dataset.Open(context.Background(), config.Corpus{
		Dir: filepath.Join("..", "..", "data", "sample", "groundtruth"), Layout: dataset.Groundtruth,
	})
	if err != nil {
		t.Fatal(err)
	}
	examples, err := c.Examples(agent)
	if err != nil {
		t.Fatal(err)
	}
	return examples
}

// The sample corpus must be neither trivial nor hopeless: the issue asks for 0.70 to 0.88.
func TestBaselineOnSample(t *testing.T) {
	for _, agent := range []string{dataset.Criteria, dataset.Evidence} {
		t.Run(agent, func(t *testing.T) {
			if agent == dataset.Evidence && testing.Short() {
				t.Skip("takes several seconds")
			}
			r, err := Run(context.Background(), sampleExamples(t, agent), Defaults())
			if err != nil {
				t.Fatal(err)
			}
			if testing.Verbose() {
				if err := r.WriteTable(os.Stderr); err != nil {
					t.Error(err)
				}
			}
			if r.All.F1Macro < 0.70 || r.All.F1Macro > 0.88 {
				t.Errorf("F1-macro %.3f, want 0.70 to 0.88", r.All.F1Macro)
			}
			if r.All.Majority > 0.5 {
				t.Errorf("the majority class reaches %.3f; a constant answer has at most 0.5", r.All.Majority)
			}
		})
	}
}
