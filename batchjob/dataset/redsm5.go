package dataset

import (
	"context"
	"strings"
)

// specialCase is RedSM5's symptom for a sentence that matters clinically but belongs to none
// of the nine criteria: it adds a sentence and no label.
const specialCase = "special_case"

// readRedSM5 reads the annotations: one row a judged (sentence, symptom), status 1 when the
// sentence shows the symptom. RedSM5's annotators judged all nine symptoms, so a pair
// without a row does not show it. The same judgement may stand twice, since posts were
// annotated by several people; two that contradict each other may not.
func readRedSM5(ctx context.Context, c *Corpus, known *criteriaSet) error {
	t, err := c.files.table(ctx, "annotations", "post_id", "sentence_id", "sentence_text", "DSM5_symptom", "status")
	if err != nil {
		return err
	}
	type sentenceKey struct {
		post int
		id   string
	}
	type judgement struct {
		sentenceKey
		criterion string
	}
	posts := c.postIndex()
	positions := map[sentenceKey]int{}
	spoken := map[sentenceKey]place{}
	statuses := map[judgement]int{}
	judged := map[judgement]place{}
	for _, r := range t.rows {
		post, err := postOf(t, r, posts)
		if err != nil {
			return err
		}
		key := sentenceKey{post, r.cells[1]}
		text := r.cells[2]
		if strings.TrimSpace(text) == "" {
			return t.errorf(r.place, "sentence_text", "it is empty; every sentence needs a text")
		}
		p := &c.posts[post]
		i, ok := positions[key]
		if !ok {
			i = len(p.sentences)
			positions[key], spoken[key] = i, r.place
			p.sentences = append(p.sentences, sentence{id: key.id, text: text, evidence: map[string]bool{}})
		} else if p.sentences[i].text != text {
			return t.errorf(r.place, "sentence_text", "it differs from that of the same sentence_id in %s; a sentence_id must name one sentence of its post", spoken[key])
		}
		status, err := binary(t, r, "status")
		if err != nil {
			return err
		}
		if strings.EqualFold(r.cells[3], specialCase) {
			continue
		}
		criterion, err := known.of(t, r, "DSM5_symptom")
		if err != nil {
			return err
		}
		j := judgement{key, criterion.ID}
		if before, twice := judged[j]; twice && statuses[j] != status {
			return t.errorf(r.place, "status", "it contradicts %s, which judges the same sentence and symptom; keep one of them", before)
		} else if !twice {
			judged[j], statuses[j] = r.place, status
		}
		if status == 1 {
			p.sentences[i].evidence[criterion.ID] = true
			p.labels[criterion.ID] = 1
		}
	}
	for i := range c.posts {
		for n, criterion := range known.list {
			if _, ok := c.posts[i].labels[criterion.ID]; !ok && known.named[n] {
				c.posts[i].labels[criterion.ID] = 0
			}
		}
	}
	c.hasSentences = true
	return nil
}
