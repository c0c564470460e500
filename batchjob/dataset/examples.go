package dataset

import "fmt"

// Agents that this package makes examples for, as a study file names them.
const (
	Criteria = "criteria"
	Evidence = "evidence"
)

// An Example is one labelled pair. ID is unique within its agent's examples and stable under
// narrowing; PostID is the group that no split may divide.
type Example struct {
	ID          string // post_id/criterion_id or post_id/sentence_id/criterion_id
	PostID      string
	SentenceID  string // empty for the agent criteria
	CriterionID string
	A, B        string // the criterion's wording; the post or the sentence
	Label       int    // 1: the post meets the criterion, the sentence is evidence for it
}

// Examples returns the agent's labelled pairs: posts (and their sentences) in the order of
// their tables, for each the criteria in the order of theirs. It fails when the agent is
// not criteria or evidence, and when evidence is asked of a corpus without an evidence table.
func (c *Corpus) Examples(agent string) ([]Example, error) {
	switch agent {
	case Criteria:
		return c.criteriaExamples(), nil
	case Evidence:
		if !c.hasSentences {
			_, err := c.files.find("evidence")
			return nil, fmt.Errorf("make evidence examples: %w", err)
		}
		return c.evidenceExamples(), nil
	}
	return nil, fmt.Errorf("make examples: agent %s is not implemented; allowed: %s, %s", shown(agent), Criteria, Evidence)
}

func (c *Corpus) criteriaExamples() []Example {
	var list []Example
	for _, p := range c.posts {
		for _, k := range c.criteria {
			if label, ok := p.labels[k.ID]; ok {
				list = append(list, Example{
					ID: p.id + "/" + k.ID, PostID: p.id, CriterionID: k.ID, A: k.Text, B: p.text, Label: label,
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
					ID: p.id + "/" + s.id + "/" + k.ID, PostID: p.id, SentenceID: s.id, CriterionID: k.ID, A: k.Text, B: s.text,
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
