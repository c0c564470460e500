package dataset

import (
	"context"
	"fmt"
)

// readGroundtruth reads the labels of the pairs that the groundtruth table lists, and the
// evidence table where there is one.
func readGroundtruth(ctx context.Context, c *Corpus, known *criteriaSet) error {
	t, err := c.files.table(ctx, "groundtruth", "post_id", "criterion_id", "label")
	if err != nil {
		return err
	}
	type pair struct {
		post      int
		criterion string
	}
	posts := c.postIndex()
	first := map[pair]place{}
	for _, r := range t.rows {
		post, err := postOf(t, r, posts)
		if err != nil {
			return err
		}
		criterion, err := known.of(t, r, "criterion_id")
		if err != nil {
			return err
		}
		label, err := binary(t, r, "label")
		if err != nil {
			return err
		}
		key := pair{post, criterion.ID}
		if at, twice := first[key]; twice {
			return t.errorf(r.place, "criterion_id", "%s labels this post and criterion already; every pair must be unique", at)
		}
		first[key] = r.place
		c.posts[post].labels[criterion.ID] = label
	}
	if !c.files.has("evidence") {
		return nil
	}
	return readEvidence(ctx, c, known, posts)
}

// readEvidence cuts the posts into sentences and marks those that the evidence table's
// texts cover.
func readEvidence(ctx context.Context, c *Corpus, known *criteriaSet, posts map[string]int) error {
	t, err := c.files.table(ctx, "evidence", "post_id", "criterion_id", "evidence_text")
	if err != nil {
		return err
	}
	spans := make([][]Span, len(c.posts))
	for i := range c.posts {
		p := &c.posts[i]
		spans[i] = Sentences(p.text)
		for n, s := range spans[i] {
			p.sentences = append(p.sentences, sentence{
				id:       fmt.Sprintf("s%03d", n+1),
				text:     p.text[s.Start:s.End],
				evidence: map[string]bool{},
			})
		}
	}
	for _, r := range t.rows {
		post, err := postOf(t, r, posts)
		if err != nil {
			return err
		}
		criterion, err := known.of(t, r, "criterion_id")
		if err != nil {
			return err
		}
		covered := cover(c.posts[post].text, r.cells[2], spans[post])
		if len(covered) == 0 {
			return t.errorf(r.place, "evidence_text", "it occurs in no sentence of its post; it must be copied from the post's text (only white space may differ)")
		}
		for _, i := range covered {
			c.posts[post].sentences[i].evidence[criterion.ID] = true
		}
	}
	c.hasSentences = true
	return nil
}
