package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/optim"
	"github.com/supermax-hpo/supermax/batchjob/safetensors"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

// checkpointVersion is the version of [state].
const checkpointVersion = 1

// state is how far a seed is: the JSON in a checkpoint's header. Its epochs are all since
// the first, so that whoever resumes can report a rung that another attempt began.
type state struct {
	Version  int      `json:"schema_version"`
	Trial    int      `json:"trial"`
	Seed     int64    `json:"seed"`
	Identity string   `json:"identity"` // see [Trainer.identify]
	Epoch    int      `json:"epoch"`    // the last one trained
	Step     int64    `json:"step"`     // optimizer steps taken
	Finished bool     `json:"finished"` // nothing more to train: the checkpoint holds no weights
	Epochs   []record `json:"epochs"`
}

// record is what one epoch measured and what it cost.
type record struct {
	protocol.EpochMetrics
	Tasks            []taskRecord    `json:"tasks"` // in the order of the agent's
	Seconds          results.Seconds `json:"seconds"`
	SamplesPerSecond float64         `json:"samples_per_second"`
	PeakMemoryBytes  int64           `json:"peak_memory_bytes"`
	Device           string          `json:"device"`
}

// modelInfo is what a file of best weights says of them: the JSON in its header.
type modelInfo struct {
	Version int              `json:"schema_version"`
	Study   string           `json:"study"`
	Agent   string           `json:"agent"`
	Trial   int              `json:"trial"`
	Seed    int64            `json:"seed"`
	Fold    *int             `json:"fold"`
	Epoch   int              `json:"epoch"`
	Params  space.Assignment `json:"params"`
	Tasks   []taskRecord     `json:"tasks"`
}

// modelWeights is a model's and its optimizer's whole state.
type modelWeights struct {
	params  []tensor.Array
	moments []optim.ParamState
}

// Prefixes of tensor names in a checkpoint, before the parameter's name.
const (
	paramPrefix  = "param."
	firstMoment  = "adam.m."
	secondMoment = "adam.v."
	stepPrefix   = "adam.step."
	stateKey     = "supermax.state"
	modelKey     = "supermax.model"
)

// errForeign is a checkpoint that cannot be this seed's: damaged, of another version or
// trained from something else.
var errForeign = errors.New("not a checkpoint of this trial and seed")

func (r *run) prefix() string { return fmt.Sprintf("%sseed=%d/", r.work.Checkpoint, r.seed) }

// resume finds the seed's newest usable checkpoint. One that is unusable is passed over
// with a warning: training the epochs again gives the same.
func (r *run) resume(ctx context.Context) error {
	fresh := state{Version: checkpointVersion, Trial: r.work.Trial, Seed: r.seed, Identity: r.identity}
	keys, err := r.Objects.List(ctx, r.prefix())
	if err != nil {
		return fmt.Errorf("find checkpoints: %w", err)
	}
	for _, key := range keys {
		switch {
		case strings.HasPrefix(key, r.prefix()+"epoch="):
			r.saved = append(r.saved, key)
		case strings.HasPrefix(key, r.prefix()+"best-epoch="):
			r.bests = append(r.bests, key)
		}
	}
	for _, key := range slices.Backward(r.saved) {
		st, w, err := r.read(ctx, key)
		switch {
		case err == nil:
			r.state, r.from = st, w
			return nil
		case errors.Is(err, errForeign), errors.Is(err, objects.ErrNotFound): // gone: a slower attempt removed it
			r.Log.Warn("checkpoint passed over", "trial", r.work.Trial, "key", key, "reason", err)
		default:
			return err
		}
	}
	r.state = fresh
	return nil
}

// reload reads the newest checkpoint's weights again.
func (r *run) reload(ctx context.Context) error {
	_, w, err := r.read(ctx, r.saved[len(r.saved)-1])
	if err != nil {
		return err
	}
	r.from = w
	return nil
}

// read decodes a checkpoint and checks that it is this seed's.
func (r *run) read(ctx context.Context, key string) (state, *modelWeights, error) {
	data, err := r.Objects.Read(ctx, key)
	if err != nil {
		return state{}, nil, fmt.Errorf("read checkpoint: %w", err)
	}
	f, err := safetensors.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return state{}, nil, fmt.Errorf("read checkpoint %s: %w: %w", key, errForeign, err)
	}
	var st state
	if err := json.Unmarshal([]byte(f.Metadata[stateKey]), &st); err != nil {
		return state{}, nil, fmt.Errorf("read checkpoint %s: %w: %w", key, errForeign, err)
	}
	if st.Version != checkpointVersion || st.Trial != r.work.Trial || st.Seed != r.seed || st.Identity != r.identity {
		return state{}, nil, fmt.Errorf("read checkpoint %s: %w", key, errForeign)
	}
	if st.Finished {
		return st, nil, nil
	}
	w, err := decodeWeights(f)
	if err != nil {
		return state{}, nil, fmt.Errorf("read checkpoint %s: %w: %w", key, errForeign, err)
	}
	return st, w, nil
}

// save writes the seed's state whole and removes what it replaces. A seed that is
// finished keeps its numbers alone.
func (r *run) save(ctx context.Context) error {
	header, err := json.Marshal(r.state)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	var tensors []safetensors.Tensor
	if !r.state.Finished {
		if tensors, err = r.encodeWeights(); err != nil {
			return fmt.Errorf("write checkpoint: %w", err)
		}
	}
	key := fmt.Sprintf("%sepoch=%04d.safetensors", r.prefix(), r.state.Epoch)
	err = r.Objects.WriteFrom(ctx, key, func(w io.Writer) error {
		return safetensors.Write(w, map[string]string{stateKey: string(header)}, tensors)
	})
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	for _, old := range r.saved {
		if old == key {
			continue
		}
		if err := r.Objects.Delete(ctx, old); err != nil {
			return fmt.Errorf("remove old checkpoint: %w", err)
		}
	}
	r.saved = []string{key}
	// Only what is earlier than the best: the rest another attempt may just have written.
	best := r.bestKey(r.best().Epoch)
	for _, old := range r.bests {
		if old >= best {
			continue
		}
		if err := r.Objects.Delete(ctx, old); err != nil {
			return fmt.Errorf("remove weights that are not the best: %w", err)
		}
	}
	r.bests = slices.DeleteFunc(r.bests, func(key string) bool { return key < best })
	return nil
}

func (r *run) bestKey(epoch int) string { return study.BestWeights(r.work.Checkpoint, r.seed, epoch) }

// saveBest keeps the weights of the epoch in hand, the best so far, for whoever uses the
// chosen model. The ones before go when the checkpoint is saved.
func (r *run) saveBest(ctx context.Context) error {
	params, err := r.model.Parameters()
	if err != nil {
		return fmt.Errorf("keep the best weights: %w", err)
	}
	info, err := json.Marshal(modelInfo{
		Version: checkpointVersion, Study: r.Study.Name, Agent: r.Study.Agent, Trial: r.work.Trial,
		Seed: r.seed, Fold: r.work.Fold, Epoch: r.state.Epoch, Params: r.work.Params,
		Tasks: r.state.Epochs[len(r.state.Epochs)-1].Tasks,
	})
	if err != nil {
		return fmt.Errorf("keep the best weights: %w", err)
	}
	key := r.bestKey(r.state.Epoch)
	err = r.Objects.WriteFrom(ctx, key, func(w io.Writer) error {
		return safetensors.Write(w, map[string]string{"format": "pt", modelKey: string(info)}, named("", params))
	})
	if err != nil {
		return fmt.Errorf("keep the best weights: %w", err)
	}
	r.bests = append(r.bests, key)
	return nil
}

func named(prefix string, arrays []tensor.Array) []safetensors.Tensor {
	out := make([]safetensors.Tensor, len(arrays))
	for i, a := range arrays {
		out[i] = safetensors.Tensor{Name: prefix + a.Name, Shape: a.Shape, Float32s: a.Data}
	}
	return out
}

func (r *run) encodeWeights() ([]safetensors.Tensor, error) {
	params, err := r.model.Parameters()
	if err != nil {
		return nil, err
	}
	moments, err := r.model.OptimizerState()
	if err != nil {
		return nil, err
	}
	out := named(paramPrefix, params)
	for _, m := range moments {
		out = append(out,
			safetensors.Tensor{Name: firstMoment + m.Name, Shape: []int{len(m.M)}, Float32s: m.M},
			safetensors.Tensor{Name: secondMoment + m.Name, Shape: []int{len(m.V)}, Float32s: m.V},
			safetensors.Tensor{Name: stepPrefix + m.Name, Shape: []int{1}, Int64s: []int64{m.Step}})
	}
	return out, nil
}

func decodeWeights(f *safetensors.File) (*modelWeights, error) {
	var w modelWeights
	for _, info := range f.Tensors() {
		if name, ok := strings.CutPrefix(info.Name, paramPrefix); ok {
			data, err := f.Float32s(info.Name)
			if err != nil {
				return nil, err
			}
			w.params = append(w.params, tensor.Array{Name: name, Shape: info.Shape, Data: data})
		}
		name, ok := strings.CutPrefix(info.Name, firstMoment)
		if !ok {
			continue
		}
		m, err := f.Float32s(info.Name)
		if err != nil {
			return nil, err
		}
		v, err := f.Float32s(secondMoment + name)
		if err != nil {
			return nil, err
		}
		step, err := f.Int64s(stepPrefix + name)
		if err != nil {
			return nil, err
		}
		if len(step) != 1 {
			return nil, fmt.Errorf("parameter %s has %d step counts", name, len(step))
		}
		w.moments = append(w.moments, optim.ParamState{Name: name, Step: step[0], M: m, V: v})
	}
	return &w, nil
}
