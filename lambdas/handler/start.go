package handler

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// maxSlots is a Batch array job's.
const maxSlots = 10_000

// A Bundle holds studies that come with the program, so that one can be run where nothing
// was uploaded before.
type Bundle interface {
	// Study returns a bundled study as its file describes it; nil if there is none.
	Study(name string) (*config.Study, error)
	// Upload brings what the study reads into the data bucket and returns the study as it
	// reads from there. It may be repeated.
	Upload(ctx context.Context, s *config.Study) (*config.Study, error)
}

// DefinitionKey returns the key of a definition in the data bucket: what
// [config.Study.JSON] wrote of a study file, its corpus and backbones in the same bucket.
func DefinitionKey(study string) string { return "definitions/" + study + ".json" }

// Start makes the studies of a definition, one for each agent, or takes them up where they
// are, and resumes those that were stopped. It may be repeated. All of it is checked before
// anything is written: a refusal leaves everything as it was.
func (s *Service) Start(ctx context.Context, req protocol.StartRequest) (protocol.StartReply, error) {
	reply := protocol.StartReply{SchemaVersion: protocol.Version, Studies: []protocol.StartedStudy{}}
	if err := checkStart(&req); err != nil {
		return reply, err
	}
	definition, bundled, err := s.definition(ctx, req.Study)
	if err != nil {
		return reply, err
	}
	studies, err := forAgents(definition, req)
	if err != nil {
		return reply, err
	}
	if !bundled {
		if err := s.checkPlaces(ctx, definition); err != nil {
			return reply, err
		}
	}
	for _, c := range studies {
		if err := s.mayStart(ctx, c, req.BudgetDollars); err != nil {
			return reply, err
		}
	}
	if bundled {
		if definition, err = s.install(ctx, definition); err != nil {
			return reply, err
		}
		if studies, err = forAgents(definition, req); err != nil {
			return reply, err
		}
	}
	for _, c := range studies {
		if err := s.Create(ctx, c); err != nil {
			return reply, err
		}
		resume := protocol.ResumeRequest{SchemaVersion: protocol.Version, Study: c.Name, BudgetDollars: req.BudgetDollars}
		if _, err := s.Resume(ctx, resume); err != nil {
			return reply, err
		}
		reply.Studies = append(reply.Studies, protocol.StartedStudy{Study: c.Name, Agent: c.Agent, Slots: req.Slots})
	}
	return reply, nil
}

// agentForm keeps what can be no agent's name out of the names of studies.
var agentForm = regexp.MustCompile(`^[a-z]{1,16}$`)

// checkStart checks what needs no definition, and fills in the default of slots.
func checkStart(req *protocol.StartRequest) error {
	if err := store.CheckStudy(req.Study); err != nil {
		return invalid("start: %v", err)
	}
	for i, agent := range req.Agents {
		switch {
		case !agentForm.MatchString(agent):
			return invalid("start study %s: agents: %.80q is no agent; allowed: %s", req.Study, agent, strings.Join(config.Agents(), ", "))
		case slices.Contains(req.Agents[:i], agent):
			return invalid("start study %s: agents: %s is listed twice", req.Study, agent)
		}
	}
	if req.Slots < 0 || req.Slots > maxSlots {
		return invalid("start study %s: slots: %d is not allowed; allowed: 1 to %d", req.Study, req.Slots, maxSlots)
	}
	if req.Slots == 0 {
		req.Slots = protocol.DefaultSlots
	}
	if b := req.BudgetDollars; b != nil && (!(*b >= 0) || math.IsInf(*b, 0)) {
		return invalid("start study %s: budget_dollars: %v is not allowed; allowed: a number from 0", req.Study, *b)
	}
	return nil
}

// definition returns the definition of a study, from the data bucket or, where it is not
// there, as it comes with the program.
func (s *Service) definition(ctx context.Context, name string) (c *config.Study, bundled bool, err error) {
	key := DefinitionKey(name)
	data, err := s.Definitions.Read(ctx, key)
	if errors.Is(err, objects.ErrNotFound) {
		if s.Bundle != nil {
			if c, err := s.Bundle.Study(name); c != nil || err != nil {
				return c, true, err
			}
		}
		return nil, false, &study.Error{Code: protocol.CodeNotFound, Message: fmt.Sprintf(
			"start study %s: it has no definition; `supermax run FILE --aws` uploads it as %s/%s", name, s.Definitions.URL(), key)}
	}
	if err != nil {
		return nil, false, err
	}
	if c, err = config.FromJSON(data); err != nil {
		return nil, false, invalid("%s: %v", key, err)
	}
	if c.Name != name {
		return nil, false, invalid("%s: name: %q is not allowed; allowed: %s, as the file is named", key, c.Name, name)
	}
	return c, false, nil
}

// forAgents returns the definition's study for each of the request's agents.
func forAgents(definition *config.Study, req protocol.StartRequest) ([]*config.Study, error) {
	agents := req.Agents
	if len(agents) == 0 {
		agents = []string{definition.Agent}
	}
	if req.BudgetDollars != nil && definition.PricePerHour == 0 {
		return nil, invalid("start study %s: budget_dollars: %v needs a price: the definition's price_per_hour is 0 or missing",
			req.Study, *req.BudgetDollars)
	}
	studies := make([]*config.Study, len(agents))
	for i, agent := range agents {
		var err error
		if studies[i], err = config.ForAgent(definition, agent); err != nil {
			return nil, invalid("start study %s for agent %s: %v", req.Study, agent, err)
		}
	}
	return studies, nil
}

// mayStart reports why a study could be neither made nor taken up and resumed.
func (s *Service) mayStart(ctx context.Context, c *config.Study, budget *float64) error {
	fresh, _, err := study.New(s.Clock(), Settings(c))
	if err != nil {
		return err
	}
	now, err := s.State(ctx, c.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		now = fresh
	case err != nil:
		return err
	default:
		if err := same(c.Name, now.Settings(), fresh.Settings()); err != nil {
			return err
		}
		if _, err := s.compareConfig(ctx, c); err != nil {
			return err
		}
	}
	_, _, err = now.Resume(s.Clock(), protocol.ResumeRequest{SchemaVersion: protocol.Version, Study: c.Name, BudgetDollars: budget})
	return err
}

// install uploads a bundled study: what it reads, and at last its definition.
func (s *Service) install(ctx context.Context, c *config.Study) (*config.Study, error) {
	c, err := s.Bundle.Upload(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("upload the bundled study: %w", err)
	}
	data, err := c.JSON()
	if err != nil {
		return nil, err
	}
	return c, s.Definitions.Write(ctx, DefinitionKey(c.Name), data)
}

func invalid(format string, args ...any) error {
	return &study.Error{Code: protocol.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}
