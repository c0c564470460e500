package study

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

var testStart = time.Date(2025, 5, 1, 12, 0, 0, 0, time.UTC)

// testSettings are small stages over a small space: A has 9 trials with rungs at the
// epochs 1, 3 and 9, B has 6 with rungs at 1 and 3, C has 2 candidates with 2 folds.
func testSettings() Settings {
	return Settings{
		Study: "s", Agent: "criteria", Seed: 2025,
		Space: &space.Space{Params: []space.Param{
			{Name: "optim.lr", Kind: space.FloatRange, Low: 1e-6, High: 1e-2, Log: true},
			{Name: "head.pooling", Kind: space.Categorical, Choices: []space.Value{space.String("cls"), space.String("mean")}},
		}},
		A: SearchStage{Trials: 9, Rungs: Rungs{1, 9, 3}, Seeds: []int64{1}, Sampler: "random"},
		B: SearchStage{Trials: 6, Rungs: Rungs{1, 3, 3}, Seeds: []int64{1}, Sampler: "random", Enqueue: 2},
		C: ConfirmStage{Candidates: 2, Folds: 2, Seeds: []int64{1}, Epochs: 2},
	}
}

// set changes one setting: a.trials=4, a.rungs=1/9/3, a.seeds=1,2, lease=120, b.ece=0.2, …
func set(s *Settings, word string) error {
	key, value, _ := strings.Cut(word, "=")
	if ok, err := setNumber(s, key, value); ok {
		return err
	}
	var list []int
	for _, text := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == '/' }) {
		n, err := strconv.Atoi(text)
		if err != nil && !strings.HasSuffix(key, ".sampler") && !strings.HasSuffix(key, ".objective") && !strings.HasSuffix(key, ".scheduler") {
			return err
		}
		list = append(list, n)
	}
	seeds := make([]int64, len(list))
	for i, n := range list {
		seeds[i] = int64(n)
	}
	stage := map[string]*SearchStage{"a": &s.A, "b": &s.B}[key[:1]]
	name, field, _ := strings.Cut(key, ".")
	if stage == nil || field == "" {
		switch {
		case key == "lease":
			s.LeaseSeconds = float64(list[0])
		case key == "price":
			s.PricePerHour = float64(list[0])
		case key == "requeues":
			s.MaxRequeues = list[0]
		case name == "c" && field == "candidates":
			s.C.Candidates = list[0]
		case name == "c" && field == "folds":
			s.C.Folds = list[0]
		case name == "c" && field == "epochs":
			s.C.Epochs = list[0]
		case name == "c" && field == "patience":
			s.C.Patience = list[0]
		case name == "c" && field == "seeds":
			s.C.Seeds = seeds
		default:
			return fmt.Errorf("%s is not a setting", key)
		}
		return nil
	}
	switch field {
	case "trials":
		stage.Trials = list[0]
	case "rungs":
		stage.Rungs = Rungs{list[0], list[1], list[2]}
	case "seeds":
		stage.Seeds = seeds
	case "patience":
		stage.Patience = list[0]
	case "enqueue":
		stage.Enqueue = list[0]
	case "scheduler":
		stage.Scheduler.Kind = value
	case "startup":
		stage.Scheduler.StartupTrials = list[0]
	case "epochs":
		stage.Budget.Epochs = list[0]
	case "sampler":
		stage.Sampler = value
	case "objective":
		stage.Objective = value
	default:
		return fmt.Errorf("%s is not a setting", key)
	}
	return nil
}

// setNumber changes a setting that need not be whole, if the key is one's.
func setNumber(s *Settings, key, value string) (ok bool, err error) {
	for name, stage := range map[string]*SearchStage{"a.": &s.A, "b.": &s.B} {
		field := map[string]*float64{"hours": &stage.Budget.GPUHours, "dollars": &stage.Budget.Dollars, "ece": &stage.Limits.ECE, "seconds": &stage.Limits.SecondsPerEpoch,
			"memory": &stage.Limits.PeakMemoryGB}[strings.TrimPrefix(key, name)]
		if field != nil {
			*field, err = strconv.ParseFloat(value, 64)
			return true, err
		}
	}
	return false, nil
}

// epochOf returns sane metrics with the given objectives.
func epochOf(seed int64, epoch int, f1, ece float64) protocol.EpochMetrics {
	return protocol.EpochMetrics{Seed: seed, Epoch: epoch, Loss: 0.5, F1Macro: f1, ECE: ece, Accuracy: f1, NLL: 0.6, Brier: 0.3}
}

// fold folds events that went through JSON into a new state.
func fold(events []Event) (*State, error) {
	s := new(State)
	for _, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		var read Event
		if err := json.Unmarshal(data, &read); err != nil {
			return nil, err
		}
		if err := s.Apply(read); err != nil {
			return nil, err
		}
	}
	return s, nil
}
