package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/preflight"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/dataref"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// check looks at everything that the studies need of this machine.
func (a *Account) check(ctx context.Context, studies []*config.Study) error {
	for _, c := range studies {
		if _, err := preflight.Check(ctx, c); err != nil {
			return fmt.Errorf("study %s: %w", c.Name, err)
		}
	}
	return nil
}

// checkMachines looks at what the slots need of the account.
func (a *Account) checkMachines(ctx context.Context, slots int, warn func(string)) error {
	quotas, err := a.checkQuotas(ctx, slots)
	if err != nil {
		return err
	}
	image, err := a.checkImage(ctx)
	if err != nil {
		return err
	}
	for _, sentence := range append(quotas, image...) {
		warn(sentence)
	}
	return nil
}

// Upload brings a study's corpus, backbones and definition to the account and starts
// nothing.
func (a *Account) Upload(ctx context.Context, s *config.Study, agents []string, m Messages) error {
	studies, err := variants(s, agents)
	if err != nil {
		return err
	}
	if err := a.check(ctx, studies); err != nil {
		return err
	}
	_, err = a.place(ctx, s, agents, m)
	return err
}

// place uploads what a study reads and writes its definition. It returns the study as the
// account sees it. A definition that differs from what a study of that name was made of is
// refused before it is written.
func (a *Account) place(ctx context.Context, s *config.Study, agents []string, m Messages) (*config.Study, error) {
	bucket, err := a.data(ctx)
	if err != nil {
		return nil, explain("open the data", err)
	}
	defer bucket.Close()
	placed := *s
	files, err := dataset.Files(s.Corpus.Dir, s.Corpus.Layout)
	if err != nil {
		return nil, err
	}
	if placed.Corpus.Dir, err = upload(ctx, bucket, dataref.Corpora, s.Corpus.Dir, files, "the corpus", m); err != nil {
		return nil, err
	}
	placed.Models = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.Models)) {
		if !slices.Contains(preflight.Backbones(s), name) {
			continue // the study never asks for it, so nobody checked it
		}
		files, err := pretrained.Files(s.Models[name])
		if err != nil {
			return nil, err
		}
		if placed.Models[name], err = upload(ctx, bucket, dataref.Backbones, s.Models[name], files, "the backbone "+name, m); err != nil {
			return nil, err
		}
	}
	if err := a.compare(ctx, &placed, agents); err != nil {
		return nil, err
	}
	text, err := placed.JSON()
	if err != nil {
		return nil, err
	}
	key := handler.DefinitionKey(s.Name)
	there, err := bucket.Read(ctx, key)
	if err != nil && !errors.Is(err, objects.ErrNotFound) {
		return nil, explain("read the former definition", err)
	}
	if !bytes.Equal(there, text) {
		if err := bucket.Write(ctx, key, text); err != nil {
			return nil, explain("write the definition", err)
		}
		m.Say("the definition is at s3://" + a.Stack.Data + "/" + key)
	}
	return &placed, nil
}

// upload brings files of a folder to the data bucket, unless they are there, and returns
// their place.
func upload(ctx context.Context, bucket *objects.Bucket, kind dataref.Kind, dir string, files []string, what string, m Messages) (string, error) {
	progress := func(done, total int64) {
		if m.Sent != nil {
			m.Sent(what, done, total)
		}
	}
	url, err := dataref.Upload(ctx, bucket, kind, dir, files, progress)
	if err != nil {
		return "", explain("upload "+what, err)
	}
	m.Say(what + " is at " + url)
	return url, nil
}

// compare refuses a definition that is not what studies under its name were made of.
func (a *Account) compare(ctx context.Context, placed *config.Study, agents []string) error {
	studies, err := variants(placed, agents)
	if err != nil {
		return err
	}
	for _, c := range studies {
		was, err := (&Study{account: a, name: c.Name}).Definition(ctx)
		if errors.Is(err, objects.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		differ, err := differences(was, c)
		if err != nil {
			return err
		}
		if len(differ) > 0 {
			return mistake.Errorf("the stack %s holds a study %s that was made from another definition (%s differ): give the study another name, or remove the former one with supermax delete %s --aws --yes",
				a.Stack.Name, c.Name, strings.Join(differ, ", "), c.Name)
		}
	}
	return nil
}

// differences names the parts in which two studies differ.
func differences(a, b *config.Study) ([]string, error) {
	var fields [2]map[string]json.RawMessage
	for i, c := range []*config.Study{a, b} {
		text, err := c.JSON()
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &fields[i]); err != nil {
			return nil, fmt.Errorf("compare the definitions of %s: %w", c.Name, err)
		}
	}
	var differ []string
	for _, key := range slices.Sorted(maps.Keys(fields[0])) {
		if !bytes.Equal(fields[0][key], fields[1][key]) {
			differ = append(differ, key)
		}
	}
	return differ, nil
}
