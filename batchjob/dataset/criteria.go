package dataset

import (
	"context"
	"fmt"
	"strings"
)

// A Criterion is one diagnostic criterion. Text is what a model reads as the first half of
// a pair.
type Criterion struct{ ID, Name, Text string }

// Builtin returns the nine criteria of a depressive episode in our own short wording. It is
// used when a corpus has no criteria table; its ids are the lower-case forms of RedSM5's
// DSM5_symptom values.
func Builtin() []Criterion {
	return []Criterion{
		{"depressed_mood", "Depressed mood", "The writer feels sad, empty or hopeless most of the day."},
		{"anhedonia", "Loss of interest or pleasure", "The writer has lost interest or pleasure in activities."},
		{"appetite_change", "Change of appetite or weight", "The writer's appetite or weight has clearly changed."},
		{"sleep_issues", "Insomnia or hypersomnia", "The writer sleeps too little or too much."},
		{"psychomotor", "Psychomotor agitation or retardation", "The writer is restless or slowed down in movement or speech."},
		{"fatigue", "Fatigue or loss of energy", "The writer is tired and lacks energy."},
		{"worthlessness", "Worthlessness or guilt", "The writer feels worthless or excessively guilty."},
		{"cognitive_issues", "Trouble thinking or concentrating", "The writer cannot concentrate, think or decide."},
		{"suicidal_thoughts", "Thoughts of death or suicide", "The writer has thoughts of death or of suicide."},
	}
}

// A criteriaSet resolves the ids that the tables use. Upper and lower case count as the
// same, because RedSM5 writes its symptoms in capitals.
type criteriaSet struct {
	list    []Criterion
	index   map[string]int // lower-case id → position in list
	named   map[int]bool   // positions that a row of the labels named
	builtin bool
}

// readCriteria reads the criteria table, or takes the built-in wording where there is none.
func readCriteria(ctx context.Context, files *library) (*criteriaSet, error) {
	set := &criteriaSet{index: map[string]int{}, named: map[int]bool{}}
	if !files.has("criteria") {
		set.builtin = true
		set.list = Builtin()
		for i, c := range set.list {
			set.index[c.ID] = i
		}
		files.builtin("built-in criteria", fmt.Sprint(set.list))
		return set, nil
	}
	t, err := files.table(ctx, "criteria", "criterion_id", "name", "text")
	if err != nil {
		return nil, err
	}
	for _, r := range t.rows {
		c := Criterion{ID: r.cells[0], Name: r.cells[1], Text: r.cells[2]}
		if strings.TrimSpace(c.Text) == "" {
			return nil, t.errorf(r.place, "text", "it is empty; every criterion needs its wording")
		}
		key := strings.ToLower(c.ID)
		if i, twice := set.index[key]; twice {
			return nil, t.errorf(r.place, "criterion_id", "%s is there in %s already; every criterion_id must be unique (upper and lower case count as the same)", shown(c.ID), t.rows[i].place)
		}
		set.index[key] = len(set.list)
		set.list = append(set.list, c)
	}
	return set, nil
}

// of resolves the criterion that a row of the labels names.
func (s *criteriaSet) of(t *table, r row, column string) (Criterion, error) {
	id := r.cells[t.column(column)]
	i, ok := s.index[strings.ToLower(id)]
	if !ok {
		hint := ""
		if s.builtin {
			hint = " (or add a criteria table: criterion_id, name, text)"
		}
		return Criterion{}, t.errorf(r.place, column, "%s is not a known criterion; allowed: %s%s", shown(id), ids(s.list), hint)
	}
	s.named[i] = true
	return s.list[i], nil
}

// narrow returns the wanted criteria, or all that the labels name, in the table's order.
func (s *criteriaSet) narrow(want []string) ([]Criterion, error) {
	var all []Criterion
	for i, c := range s.list {
		if s.named[i] {
			all = append(all, c)
		}
	}
	if len(want) == 0 {
		return all, nil
	}
	keep := map[int]bool{}
	for _, id := range want {
		i, ok := s.index[strings.ToLower(id)]
		switch {
		case !ok || !s.named[i]:
			return nil, fmt.Errorf("criterion %s is not one that the corpus labels; allowed: %s", shown(id), ids(all))
		case keep[i]:
			return nil, fmt.Errorf("criterion %s is listed twice; name each once", shown(id))
		}
		keep[i] = true
	}
	var kept []Criterion
	for i, c := range s.list {
		if keep[i] {
			kept = append(kept, c)
		}
	}
	return kept, nil
}

func ids(list []Criterion) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.ID
	}
	return strings.Join(names, ", ")
}
