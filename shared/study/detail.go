package study

import (
	"fmt"

	"github.com/supermax-hpo/supermax/shared/internal/persistent"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// detail is what only some trials have, so that a snapshot holds it as an object and not in
// columns.
type detail struct {
	Trial    int               `json:"trial"`
	From     *int              `json:"from,omitempty"`
	Fold     *int              `json:"fold,omitempty"`
	Requeues int               `json:"requeues,omitempty"`
	Lease    *Lease            `json:"lease,omitempty"`
	Ended    []AttemptEnd      `json:"ended,omitempty"`
	Failure  *protocol.Failure `json:"failure,omitempty"`

	unknown fields
}

func details(trials persistent.Vector[*Trial]) []*detail {
	var list []*detail
	for n, t := range trials.All() {
		if t.From != nil || t.Fold != nil || t.Requeues > 0 || t.Lease != nil || len(t.Ended) > 0 || t.Failure != nil || t.unknown != nil {
			list = append(list, &detail{Trial: n, From: t.From, Fold: t.Fold, Requeues: t.Requeues,
				Lease: t.Lease, Ended: t.Ended, Failure: t.Failure, unknown: t.unknown})
		}
	}
	return list
}

func (s *State) readDetails(list []*detail) error {
	for _, d := range list {
		if d == nil || d.Trial < 0 || d.Trial >= s.trials.Len() {
			return fmt.Errorf("a detail is of none of the %d trials", s.trials.Len())
		}
		t := s.trials.At(d.Trial)
		t.From, t.Fold, t.Requeues, t.Lease = d.From, d.Fold, d.Requeues, d.Lease
		t.Ended, t.Failure, t.unknown = d.Ended, d.Failure, d.unknown
	}
	return nil
}
