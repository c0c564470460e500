package cloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/exports"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// A Study is one study of an account, to be looked at. Executions may be at work on it.
type Study struct {
	account *Account
	name    string
}

// Study names a study to look at; whether it is there shows when it is read.
func (a *Account) Study(name string) (*Study, error) {
	if err := store.CheckStudy(name); err != nil {
		return nil, mistake.Wrap(err)
	}
	return &Study{account: a, name: name}, nil
}

// State reads the study's state.
func (s *Study) State(ctx context.Context) (*study.State, error) {
	state, err := s.account.service.State(ctx, s.name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, mistake.Errorf("the stack %s in %s holds no study %q: start it with supermax run FILE --aws", s.account.Stack.Name, s.account.Region, s.name)
	}
	if err != nil {
		return nil, explain("read the state of study "+s.name, err)
	}
	return state, nil
}

// Rows reads every metrics row of the study.
func (s *Study) Rows(ctx context.Context) ([]results.Row, error) {
	bucket, err := s.account.results(ctx)
	if err != nil {
		return nil, explain("open the results", err)
	}
	defer bucket.Close()
	rows, err := results.ReadAll(ctx, bucket, results.StudyPrefix(s.name))
	if err != nil {
		return nil, explain("read the metrics of study "+s.name, err)
	}
	return rows, nil
}

// Export returns what the study exported: best, top, pareto or candidates, as yaml or json.
func (s *Study) Export(ctx context.Context, what, format string) ([]byte, error) {
	key, err := exports.Key(s.name, what)
	if err != nil {
		return nil, mistake.Wrap(err)
	}
	bucket, err := s.account.results(ctx)
	if err != nil {
		return nil, explain("open the results", err)
	}
	defer bucket.Close()
	data, err := bucket.Read(ctx, key+"."+format)
	if errors.Is(err, objects.ErrNotFound) {
		return nil, mistake.Errorf("study %s has no %s yet: its stage has not ended", s.name, what)
	}
	return data, explain("read what study "+s.name+" exported", err)
}

// Definition returns the study as it was created, or [objects.ErrNotFound].
func (s *Study) Definition(ctx context.Context) (*config.Study, error) {
	bucket, err := s.account.results(ctx)
	if err != nil {
		return nil, explain("open the results", err)
	}
	defer bucket.Close()
	data, err := bucket.Read(ctx, config.Key(s.name))
	if err != nil {
		return nil, explain("read the definition of study "+s.name, err)
	}
	c, err := config.FromJSON(data)
	if err != nil {
		return nil, fmt.Errorf("read the definition of study %s: %w", s.name, err)
	}
	return c, nil
}
