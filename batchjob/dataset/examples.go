package dataset

import (
	"fmt"
	"slices"
)

// The tasks, each of which is an agent too: the one that learns it alone.
const (
	Criteria = "criteria"
	Evidence = "evidence"
)

// The agents that learn both tasks, as a study file names them.
const (
	Share = "share" // with one encoder
	Joint = "joint" // with one encoder a task, of which criteria are decided by both
)

// Tasks returns what an agent learns, criteria first.
func Tasks(agent string) ([]string, error) {
	switch agent {
	case Criteria, Evidence:
		return []string{agent}, nil
	case Share, Joint:
		return []string{Criteria, Evidence}, nil
	}
	return nil, fmt.Errorf("agent %s is not known; allowed: %s, %s, %s, %s", shown(agent), Criteria, Evidence, Share, Joint)
}

// An Example is one labelled pair of a task. ID is unique within the task's examples and
// stable under narrowing; PostID is the group that no split may divide.
type Example struct {
	Task        string // Criteria or Evidence
	ID          string // post_id/criterion_id or post_id/sentence_id/criterion_id
	PostID      string
	SentenceID  string // empty for the task criteria
	CriterionID string
	A, B        string // the criterion's wording; the post or the sentence
	Label       int    // 1: the post meets the criterion, the sentence is evidence for it
}

// Examples returns the labelled pairs of the agent's tasks, one task after the other: posts
// (and their sentences) in the order of their tables, for each the criteria in the order of
// theirs. It fails when there is no such agent, and when evidence is asked of a corpus
// without an evidence table.
func (c *Corpus) Examples(agent string) ([]Example, error) {
	tasks, err := Tasks(agent)
	if err != nil {
		return nil, fmt.Errorf("make examples: %w", err)
	}
	var list []Example
	if slices.Contains(tasks, Criteria) {
		list = c.criteriaExamples()
	}
	if slices.Contains(tasks, Evidence) {
		if !c.hasSentences {
			_, err := c.files.find("evidence")
			return nil, fmt.Errorf("make evidence examples: %w", err)
		}
		list = append(list, c.evidenceExamples()...)
	}
	return list, nil
}

func (c *Corpus) criteriaExamples() []Example {
	var list []Example
	for _, p := range c.posts {
		for _, k := range c.criteria {
			if label, ok := p.labels[k.ID]; ok {
				list = append(list, Example{
					Task: Criteria, ID: p.id + "/" + k.ID, PostID: p.id, CriterionID: k.ID, A: k.Text, B: p.text, Label: label,
				})
			}
		}
	}
	return list
}

func (c *Corpus) evidenceExamples() []Example {
	var list []Example
	for _, p := range c.posts {
		for _, s := range p.sentences {
			for _, k := range c.criteria {
				if _, ok := p.labels[k.ID]; !ok {
					continue
				}
				e := Example{
					Task: Evidence, ID: p.id + "/" + s.id + "/" + k.ID, PostID: p.id, SentenceID: s.id,
					CriterionID: k.ID, A: k.Text, B: s.text,
				}
				if s.evidence[k.ID] {
					e.Label = 1
				}
				list = append(list, e)
			}
		}
	}
	return list
}
