package handler

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/dataref"
)

// modelName is the parameter whose values are backbones.
const modelName = "model.name"

// place is where below the data bucket something lies: its kind, the SHA-256 of its content.
var place = regexp.MustCompile(`^(corpora|backbones)/[0-9a-f]{64}/$`)

// checkPlaces checks that a definition's corpus and backbones lie in the data bucket, each
// named after its content and uploaded whole, and that every backbone that the study may ask
// for is among them.
func (s *Service) checkPlaces(ctx context.Context, c *config.Study) error {
	if err := s.checkPlace(ctx, c.Name, "corpus.dir", dataref.Corpora, c.Corpus.Dir); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Models)) {
		if err := s.checkPlace(ctx, c.Name, "models."+name, dataref.Backbones, c.Models[name]); err != nil {
			return err
		}
	}
	p, ok := c.Space.Param(modelName)
	if !ok {
		return nil
	}
	for _, choice := range p.Choices {
		if name, _ := choice.AsString(); c.Models[name] == "" {
			return invalid("%s: models: %.80q is missing, which %s may choose", DefinitionKey(c.Name), name, modelName)
		}
	}
	return nil
}

func (s *Service) checkPlace(ctx context.Context, study, field string, kind dataref.Kind, url string) error {
	prefix := s.Definitions.URL() + "/"
	key, ok := strings.CutPrefix(url, prefix)
	if m := place.FindStringSubmatch(key); !ok || m == nil || m[1] != string(kind) {
		return invalid("%s: %s: %.80q is not allowed; allowed: %s%s/<SHA-256>/", DefinitionKey(study), field, url, prefix, kind)
	}
	// The manifest is uploaded last.
	there, err := s.Definitions.Exists(ctx, key+dataref.ManifestName)
	if err != nil {
		return fmt.Errorf("look for %s of study %s: %w", field, study, err)
	}
	if !there {
		return invalid("%s: %s: there is nothing at %s, or it was not uploaded to its end", DefinitionKey(study), field, url)
	}
	return nil
}
