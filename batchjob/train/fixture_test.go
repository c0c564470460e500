package train

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/classifier"
	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/slot"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// fixture is a small corpus with a backbone of its own words, and a bucket.
type fixture struct {
	study  *config.Study
	bucket *objects.Bucket
	worker *tensor.Worker // nil: the model is a fake
	log    io.Writer
}

// newFixture writes 40 posts of two criteria. A post meets one when it holds its cue word,
// so a model can learn it.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	cues := map[string]string{"fatigue": "tired", "sleep_issues": "awake"}
	filler := strings.Fields("today my friend and the garden were quiet because rain fell on old stones near home")
	posts, truth := "post_id,text\n", "post_id,criterion_id,label\n"
	words := map[string]bool{}
	for i := range 40 {
		text := []string{filler[i%len(filler)], filler[i*7%len(filler)], filler[i*3%len(filler)]}
		labels := map[string]int{"fatigue": i % 2, "sleep_issues": i / 2 % 2}
		for _, criterion := range []string{"fatigue", "sleep_issues"} {
			if labels[criterion] == 1 {
				text = slices.Insert(text, i%3, cues[criterion])
			}
			truth += fmt.Sprintf("p%02d,%s,%d\n", i, criterion, labels[criterion])
		}
		posts += fmt.Sprintf("p%02d,%s\n", i, strings.Join(text, " "))
	}
	for _, c := range dataset.Builtin() {
		for _, w := range strings.Fields(strings.ToLower(strings.NewReplacer(".", " ", ",", " ").Replace(c.Text))) {
			words[w] = true
		}
	}
	for _, w := range append(slices.Clone(filler), "tired", "awake", ".") {
		words[w] = true
	}
	vocab := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
	for w := range words {
		vocab = append(vocab, w)
	}
	slices.Sort(vocab[5:])
	backbone := filepath.Join(dir, "tiny")
	c := pretrained.DefaultConfig()
	c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads = len(vocab), 16, 1, 2
	c.IntermediateSize, c.MaxPositionEmbeddings = 32, 64
	check(t, pretrained.Init(backbone, c, 1))
	put := func(path, content string) {
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(content), 0o600))
	}
	put(filepath.Join(backbone, "vocab.txt"), strings.Join(vocab, "\n")+"\n")
	put(filepath.Join(dir, "corpus", "posts.csv"), posts)
	put(filepath.Join(dir, "corpus", "groundtruth.csv"), truth)
	bucket, err := objects.Open(t.Context(), "mem://")
	check(t, err)
	search := config.Search{Epochs: 6, Patience: 0, Seeds: []int64{1, 2}}
	return &fixture{bucket: bucket, log: io.Discard, study: &config.Study{
		Name: "s", Agent: "criteria", Corpus: config.Corpus{Dir: filepath.Join(dir, "corpus"), Layout: dataset.Groundtruth},
		Models:       map[string]string{"tiny": backbone},
		Training:     config.Training{ValidFraction: 0.25, SplitSeed: 42, ClassWeights: "balanced"},
		Stages:       config.Stages{A: search, B: search, C: config.Confirm{Folds: 4, FoldSeed: 42, Epochs: 6, Seeds: []int64{1, 2}}},
		PricePerHour: 36,
	}}
}

func (f *fixture) trainer(t *testing.T, stage protocol.Stage) *Trainer {
	t.Helper()
	r, err := New(t.Context(), Options{
		Study: f.study, Stage: stage, Objects: f.bucket, Worker: f.worker, Device: "cpu",
		Log: slog.New(slog.NewJSONHandler(f.log, nil)),
	})
	check(t, err)
	t.Cleanup(r.Release)
	return r
}

// fake makes a trainer of stage A train this model.
func (f *fixture) fake(t *testing.T, stage protocol.Stage, m *fakeModel) *Trainer {
	t.Helper()
	r := f.trainer(t, stage)
	m.rows = len(r.plan.parts[0].Valid)
	r.open = func(o classifier.Options) (model, error) {
		m.opened = append(m.opened, o)
		return m, m.openErr
	}
	return r
}

func params() space.Assignment {
	return space.Assignment{
		"model.name": space.String("tiny"), "tok.max_length": space.Int(64), "model.gradient_checkpointing": space.Bool(false),
		"head.pooling": space.String("mean"), "head.hidden_mult": space.Int(0), "head.hidden_dim": space.Int(0),
		"head.n_layers": space.Int(1), "head.activation": space.String("relu"), "head.dropout": space.Float(0.1),
		"optim.name": space.String("adamw"), "optim.lr": space.Float(0.01), "optim.weight_decay": space.Float(0.001),
		"sched.name": space.String("linear"), "sched.warmup_ratio": space.Float(0.1),
		"train.batch_size": space.Int(8), "train.grad_accum": space.Int(2), "train.amp": space.Bool(false),
		"reg.label_smoothing": space.Float(0.05), "reg.max_grad_norm": space.Float(1),
		"null.strategy": space.String("none"), "aug.enabled": space.Bool(false),
	}
}

func work(from, to int, seeds ...int64) protocol.Work {
	return protocol.Work{Trial: 5, FromEpoch: from, ToEpoch: to, Params: params(), Seeds: seeds, Checkpoint: "checkpoints/study=s/trial=5/"}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run trains and fails the test on an error.
func runWork(t *testing.T, r *Trainer, w protocol.Work) slot.Result {
	t.Helper()
	result, err := r.Run(context.Background(), w)
	check(t, err)
	return result
}
