// Package dataset reads a labelled corpus of posts and turns it into the pairs that a
// study's agent learns from: [criterion, post] for the task criteria, [criterion, sentence]
// for the task evidence. Two agents learn one task each, share and joint learn both.
//
// Two layouts are read; every table may be CSV (with a header), JSON Lines or Parquet, told
// apart by the file's extension:
//
//	redsm5       posts.*        post_id, text
//	             annotations.*  post_id, sentence_id, sentence_text, DSM5_symptom, status
//	groundtruth  posts.*        post_id, text
//	             groundtruth.*  post_id, criterion_id, label
//	             evidence.*     post_id, criterion_id, evidence_text   (task evidence only)
//	both         criteria.*     criterion_id, name, text               (see [Builtin])
//
// Further columns are ignored. Whatever is wrong with a file is an [*InputError] that names
// the file, the row, the column and what is allowed, and never repeats a post's text.
package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/shared/config"
)

// Layouts that [Open] reads, as a study file names them.
const (
	RedSM5      = "redsm5"
	Groundtruth = "groundtruth"
)

// A Corpus is a read, checked and narrowed corpus. It never changes after [Open] and may
// be used by several goroutines.
type Corpus struct {
	criteria     []Criterion
	posts        []post
	hasSentences bool // the layout's table of sentences or evidence was there
	files        *library
}

type post struct {
	id, text  string
	labels    map[string]int // criterion id → 0 or 1; a criterion that nobody judged is absent
	sentences []sentence
}

type sentence struct {
	id, text string
	evidence map[string]bool // criterion ids that the sentence is evidence for
}

// Open reads the corpus in o.Dir. Everything in its files is checked, also what o.Criteria
// and o.MaxPosts leave out.
//
// Labels: in the layout redsm5 a post meets a criterion when a row with status 1 says so
// and does not meet it otherwise; its sentences are those that the rows list. In the layout
// groundtruth the pairs are those that the groundtruth table lists; posts are cut into
// sentences by [Sentences], and a sentence is evidence when an evidence_text covers a
// part of it. Criteria that no row of the labels names are left out.
func Open(ctx context.Context, o config.Corpus) (*Corpus, error) {
	if o.MaxPosts < 0 {
		return nil, fmt.Errorf("open corpus: max_posts %d is not allowed; it must be 0 (all posts) or more", o.MaxPosts)
	}
	var read func(context.Context, *Corpus, *criteriaSet) error
	switch o.Layout {
	case RedSM5:
		read = readRedSM5
	case Groundtruth:
		read = readGroundtruth
	default:
		return nil, fmt.Errorf("open corpus: layout %s is not known; allowed: %s, %s", shown(o.Layout), Groundtruth, RedSM5)
	}
	files, err := openLibrary(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("open corpus: %w", err)
	}
	c := &Corpus{files: files}
	known, err := readCriteria(ctx, files)
	if err != nil {
		return nil, fmt.Errorf("open corpus: %w", err)
	}
	if err := c.readPosts(ctx); err != nil {
		return nil, fmt.Errorf("open corpus: %w", err)
	}
	if err := read(ctx, c, known); err != nil {
		return nil, fmt.Errorf("open corpus: %w", err)
	}
	if c.criteria, err = known.narrow(o.Criteria); err != nil {
		return nil, fmt.Errorf("open corpus: %w", err)
	}
	if o.MaxPosts > 0 && o.MaxPosts < len(c.posts) {
		c.posts = slices.Clip(c.posts[:o.MaxPosts])
	}
	return c, nil
}

// Criteria returns the criteria that the corpus is narrowed to, in the order of the
// criteria table.
func (c *Corpus) Criteria() []Criterion { return slices.Clone(c.criteria) }

// Posts returns how many posts there are.
func (c *Corpus) Posts() int { return len(c.posts) }

// Fingerprint returns the hexadecimal SHA-256 over the names and contents of the files that
// were read and over the built-in wording where no criteria table was there. It does not
// depend on the folder, nor on how the corpus was narrowed.
func (c *Corpus) Fingerprint() string { return c.files.fingerprint() }

// readPosts fills c.posts from the posts table.
func (c *Corpus) readPosts(ctx context.Context) error {
	t, err := c.files.table(ctx, "posts", "post_id", "text")
	if err != nil {
		return err
	}
	first := make(map[string]place, len(t.rows))
	for _, r := range t.rows {
		id, text := r.cells[0], r.cells[1]
		if strings.TrimSpace(text) == "" {
			return t.errorf(r.place, "text", "it is empty; every post needs a text")
		}
		if at, twice := first[id]; twice {
			return t.errorf(r.place, "post_id", "%s is the id of %s already; every post_id must be unique", shown(id), at)
		}
		first[id] = r.place
		c.posts = append(c.posts, post{id: id, text: text, labels: map[string]int{}})
	}
	return nil
}

// postIndex maps post ids to positions in c.posts.
func (c *Corpus) postIndex() map[string]int {
	index := make(map[string]int, len(c.posts))
	for i, p := range c.posts {
		index[p.id] = i
	}
	return index
}

// binary reads a label cell.
func binary(t *table, r row, column string) (int, error) {
	switch v := r.cells[t.column(column)]; v {
	case "0":
		return 0, nil
	case "1":
		return 1, nil
	default:
		return 0, t.errorf(r.place, column, "%s is not allowed; it must be 0 or 1", shown(v))
	}
}

// postOf resolves a row's post_id.
func postOf(t *table, r row, index map[string]int) (int, error) {
	id := r.cells[t.column("post_id")]
	i, ok := index[id]
	if !ok {
		return 0, t.errorf(r.place, "post_id", "%s is in no row of the posts table; every post_id must be one of its ids", shown(id))
	}
	return i, nil
}
