package handler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// Create makes a study from its file, or takes it up again when it was made from the same
// file before. Another file under the same name is a conflict that says what differs;
// nothing is changed by it.
func (s *Service) Create(ctx context.Context, c *config.Study) error {
	settings := Settings(c)
	first, events, err := study.New(s.Clock(), settings)
	if err != nil {
		return err
	}
	e, err := s.lock(ctx, c.Name)
	if err != nil {
		return err
	}
	defer e.unlock()
	if err := e.create(ctx, s.Log, events); err != nil {
		return err
	}
	if err := same(c.Name, e.state.Settings(), first.Settings()); err != nil {
		return err
	}
	return s.keepConfig(ctx, c)
}

// create loads the study, after making it where there is none. Of two creators one makes
// it, and the other finds it.
func (e *entry) create(ctx context.Context, log store.Log, events []study.Event) error {
	_, err := e.refresh(ctx, log)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	b := batch{state: new(study.State), own: events}
	if err := b.addEvents(events); err != nil {
		return err
	}
	err = e.append(ctx, log, b)
	if errors.Is(err, store.ErrConflict) {
		_, err = e.refresh(ctx, log)
	}
	return err
}

// keepConfig writes the study file's JSON form, after comparing it with what is there. The
// log was asked first, so that of two creators one decides.
func (s *Service) keepConfig(ctx context.Context, c *config.Study) error {
	kept, err := s.compareConfig(ctx, c)
	if err != nil || kept {
		return err
	}
	data, err := c.JSON()
	if err != nil {
		return err
	}
	return s.Objects.Write(ctx, config.Key(c.Name), data)
}

// compareConfig compares a study file with the one that the study was made from, and
// reports whether that is kept as it is. Only the places where the corpus and the backbones
// lie may have changed, and not to places that are named after other contents.
func (s *Service) compareConfig(ctx context.Context, c *config.Study) (kept bool, err error) {
	want, err := c.JSON()
	if err != nil {
		return false, err
	}
	got, err := s.Objects.Read(ctx, config.Key(c.Name))
	if errors.Is(err, objects.ErrNotFound) {
		return false, nil
	}
	if err != nil || bytes.Equal(got, want) {
		return err == nil, err
	}
	was, err := config.FromJSON(got)
	if err != nil {
		return false, fmt.Errorf("read the former file of study %s: %w", c.Name, err)
	}
	if mayMove(was.Corpus.Dir, c.Corpus.Dir) {
		was.Corpus.Dir = c.Corpus.Dir
	}
	if maps.EqualFunc(was.Models, c.Models, mayMove) {
		was.Models = c.Models
	}
	moved, err := was.JSON()
	if err != nil {
		return false, err
	}
	if bytes.Equal(moved, want) {
		return false, nil
	}
	return false, differs(c.Name, moved, want)
}

// contentName is what a place in the data bucket ends with: the SHA-256 of what lies there.
var contentName = regexp.MustCompile(`/([0-9a-f]{64})/?$`)

// mayMove reports whether two places may hold the same. Those that are named after
// different contents do not.
func mayMove(from, to string) bool {
	a, b := contentName.FindStringSubmatch(from), contentName.FindStringSubmatch(to)
	return a == nil || b == nil || a[1] == b[1]
}

// same compares the settings of two studies. Those of a study that was made before settings
// had a price have none; its file, which has one, is compared by keepConfig.
func same(name string, got, want study.Settings) error {
	if got.PricePerHour == 0 {
		got.PricePerHour = want.PricePerHour
	}
	g, err := json.Marshal(got)
	if err != nil {
		return err
	}
	w, err := json.Marshal(want)
	if err != nil || bytes.Equal(g, w) {
		return err
	}
	return differs(name, g, w)
}

// differs says which parts of a study file are not what the study was created from.
func differs(name string, got, want []byte) error {
	var g, w map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal(want, &w)); err != nil {
		return fmt.Errorf("compare the file of study %s: %w", name, err)
	}
	all := maps.Clone(w)
	maps.Copy(all, g)
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !bytes.Equal(g[key], w[key]) {
			keys = append(keys, key)
		}
	}
	return &study.Error{Code: protocol.CodeConflict, Message: fmt.Sprintf(
		"study %s was created from another file: %s differ; go on with the former values, or start anew under another name",
		name, strings.Join(keys, ", "))}
}

// Settings returns what the state machine needs of a study file.
func Settings(c *config.Study) study.Settings {
	search := func(st config.Search) study.SearchStage {
		return study.SearchStage{Trials: st.Trials, Rungs: study.Rungs(st.Rungs), Seeds: st.Seeds,
			Patience: st.Patience, Sampler: st.Sampler, Enqueue: st.Enqueue,
			Scheduler: st.Scheduler, Budget: study.Budget(st.Budget), Objective: st.Objective, Limits: study.Limits(st.Limits), CostWeight: st.CostWeight}
	}
	confirm := c.Stages.C
	return study.Settings{
		Study: c.Name, Agent: c.Agent, Seed: c.Seed, Space: c.Space,
		A: search(c.Stages.A), B: search(c.Stages.B),
		C: study.ConfirmStage{Candidates: confirm.Candidates, Folds: confirm.Folds, Seeds: confirm.Seeds,
			Epochs: confirm.Epochs, Patience: confirm.Patience},
		LeaseSeconds: c.LeaseSeconds,
		PricePerHour: c.PricePerHour,
	}
}
