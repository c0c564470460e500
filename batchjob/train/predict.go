package train

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/supermax-hpo/supermax/batchjob/classifier"
	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/safetensors"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/exports"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// PredictOptions of [Predict]; all but Models and Folder are needed.
type PredictOptions struct {
	Study   *config.Study
	Best    exports.Best    // what the study chose
	Objects *objects.Bucket // its models
	Worker  *tensor.Worker
	Models  int // use the first so many of the chosen configuration's models; 0: all
	Log     *slog.Logger
	Folder  func(ctx context.Context, place string) (string, error) // as in [Options]
}

// Predict reads posts as JSON Lines ({"id": …, "text": …}) and writes the study's answers: a
// line a criterion for each post (task criteria), and one for each of its sentences (task
// evidence), in the order of the posts. The probability is the mean over the models, each
// trained on other folds or with another seed; the answer is the null policy's, with the mean
// of the models' fitted thresholds. Posts are read whole before anything is written, and no
// error holds a post's text.
func Predict(ctx context.Context, o PredictOptions, in io.Reader, out io.Writer) error {
	if o.Folder == nil {
		o.Folder = func(_ context.Context, place string) (string, error) { return place, nil }
	}
	models := o.Best.Models
	switch {
	case len(models) == 0:
		return fmt.Errorf("study %s has no models of its chosen configuration", o.Study.Name)
	case o.Models < 0 || o.Models > len(models):
		return fmt.Errorf("%d models are not allowed; allowed: 1 to %d, or 0 for all", o.Models, len(models))
	case o.Models > 0:
		models = models[:o.Models]
	}
	set, err := readSettings(o.Best.Params)
	if err != nil {
		return err
	}
	source := o.Study.Corpus
	if source.Dir, err = o.Folder(ctx, source.Dir); err != nil {
		return err
	}
	corpus, err := dataset.Open(ctx, source)
	if err != nil {
		return err
	}
	names, err := dataset.Tasks(o.Study.Agent)
	if err != nil {
		return err
	}
	posts, err := readPosts(in)
	if err != nil {
		return err
	}
	examples, answers := ask(posts, corpus.Criteria(), names)
	p := &predictor{PredictOptions: o, set: set, examples: examples}
	if p.tasks, err = newTasks(o.Study.Agent, examples); err != nil {
		return err
	}
	library := newLibrary(o.Study.Models, o.Folder, examples)
	folder, err := library.folder(ctx, set.backbone)
	if err != nil {
		return err
	}
	if p.weights, p.rows, err = library.backbone(set.backbone, folder, set.maxLength); err != nil {
		return err
	}
	if err := p.run(ctx, models, answers); err != nil {
		return err
	}
	lines := json.NewEncoder(out)
	for _, a := range answers {
		if err := lines.Encode(a); err != nil {
			return fmt.Errorf("write the answers: %w", err)
		}
	}
	return nil
}

// predictor holds what all models share.
type predictor struct {
	PredictOptions
	set      settings
	examples []dataset.Example
	tasks    tasks
	weights  *pretrained.Weights
	rows     []encodedRow
}

// run fills in the answers.
func (p *predictor) run(ctx context.Context, models []exports.Model, answers []Answer) error {
	all := make([]int, len(p.examples))
	for i := range all {
		all[i] = i
	}
	byTask := p.tasks.divide(all)
	for _, rows := range byTask { // alike lengths together, since a GPU pads
		slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(len(p.rows[a].ids), len(p.rows[b].ids)) })
	}
	thresholds := make([]float64, len(byTask))
	for _, m := range models {
		info, params, err := p.read(ctx, m.File)
		if err != nil {
			return err
		}
		for task, record := range info.Tasks {
			if record.NullThreshold != nil {
				thresholds[task] += *record.NullThreshold / float64(len(models))
			}
		}
		if err := p.add(ctx, byTask, params, answers, 1/float64(len(models))); err != nil {
			return fmt.Errorf("predict with %s: %w", m.File, err)
		}
		p.Log.Info("predicted", "model", m.File, "pairs", len(answers))
	}
	for task, rows := range byTask {
		probabilities, groups := make([]float64, len(rows)), make([]int, len(rows))
		for i, row := range rows {
			probabilities[i], groups[i] = answers[row].Probability, p.tasks.groups[row]
		}
		yes, err := p.set.null.Decide(probabilities, groups, thresholds[task])
		if err != nil {
			return err
		}
		for i, row := range rows {
			answers[row].Answer = yes[i]
		}
	}
	return nil
}

// read returns one model's parameters and what its file says of it.
func (p *predictor) read(ctx context.Context, key string) (modelInfo, []tensor.Array, error) {
	fail := func(err error) (modelInfo, []tensor.Array, error) {
		return modelInfo{}, nil, fmt.Errorf("read model %s: %w", key, err)
	}
	data, err := p.Objects.Read(ctx, key)
	if err != nil {
		return fail(err)
	}
	f, err := safetensors.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fail(err)
	}
	var info modelInfo
	if err := json.Unmarshal([]byte(f.Metadata[modelKey]), &info); err != nil {
		return fail(fmt.Errorf("its header says nothing of the model: %w", err))
	}
	if info.Study != p.Study.Name || info.Agent != p.Study.Agent {
		return fail(fmt.Errorf("it is of study %q and agent %q, not %q and %q", info.Study, info.Agent, p.Study.Name, p.Study.Agent))
	}
	if len(info.Tasks) != len(p.tasks.names) {
		return fail(fmt.Errorf("it has the measures of %d tasks, not %d: an earlier program trained it", len(info.Tasks), len(p.tasks.names)))
	}
	var params []tensor.Array
	for _, t := range f.Tensors() {
		values, err := f.Float32s(t.Name)
		if err != nil {
			return fail(err)
		}
		params = append(params, tensor.Array{Name: t.Name, Shape: t.Shape, Data: values})
	}
	return info, params, nil
}

// add adds one model's share to every answer's probability.
func (p *predictor) add(ctx context.Context, byTask [][]int, params []tensor.Array, answers []Answer, share float64) error {
	m, err := classifier.New(p.Worker, classifier.Options{Network: p.tasks.network, Weights: p.weights, Head: p.set.head})
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.SetParameters(params); err != nil {
		return err
	}
	noLabels := make([]int32, len(p.rows))
	for task, rows := range byTask {
		for _, which := range predictChunks(p.rows, rows, p.weights.Config.PaddingCounts()) {
			if err := ctx.Err(); err != nil {
				return err
			}
			b := pack(p.rows, noLabels, which)
			b.Labels, b.Task = nil, task
			out, err := m.Predict(b)
			if err != nil {
				return err
			}
			logits := make([]float64, len(out.Logits))
			for i, z := range out.Logits {
				logits[i] = float64(z)
			}
			for i, v := range p.set.null.Probabilities(logits) {
				answers[which[i]].Probability += share * v
			}
		}
	}
	return nil
}
