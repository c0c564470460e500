package cloud

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/preflight"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
)

type executionStarter interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
}

// Options say how studies are run; the study file says what is run.
type Options struct {
	Agents        []string // one study each; empty: the study's own
	Slots         int      // trainers for each study; 0: the state machine's default
	BudgetDollars *float64 // of each study; nil: as it was, or none
}

// Messages tell a person what goes on.
type Messages struct {
	Say  func(string)                         // a step that was done
	Warn func(string)                         // what could not be checked, or may surprise
	Sent func(what string, done, total int64) // bytes of an upload; may be nil
}

// Start brings a study to the account and starts an execution of it. Everything is checked
// before anything is written. When an execution of the same study, agents, slots and budget
// is under way it is returned as it is, so that Start may be repeated; when all the studies
// are at their end already, an execution that has ended.
func (a *Account) Start(ctx context.Context, s *config.Study, o Options, m Messages) (*Execution, error) {
	studies, err := variants(s, o.Agents)
	if err != nil {
		return nil, err
	}
	if err := preflight.Price(s, o.BudgetDollars); err != nil {
		return nil, err
	}
	if err := a.check(ctx, studies); err != nil {
		return nil, err
	}
	var names []string
	for _, c := range studies {
		names = append(names, c.Name)
	}
	finished, err := a.finished(ctx, names)
	if err != nil {
		return nil, err
	}
	if !finished {
		if err := a.checkMachines(ctx, cmp.Or(o.Slots, protocol.DefaultSlots)*len(studies), m.Warn); err != nil {
			return nil, err
		}
	}
	placed, err := a.place(ctx, s, o.Agents, m)
	if err != nil {
		return nil, err
	}
	if finished {
		return &Execution{Status: types.ExecutionStatusSucceeded, Studies: names}, nil
	}
	return a.start(ctx, placed, o, m)
}

// finished reports whether every one of the studies is at its end.
func (a *Account) finished(ctx context.Context, studies []string) (bool, error) {
	for _, name := range studies {
		state, err := a.service.State(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, explain("read the state of study "+name, err)
		}
		if _, chosen := state.Chosen(); !chosen {
			return false, nil
		}
	}
	return true, nil
}

// Resume starts an execution that goes on with a study which the account holds. For a study
// at its end that is one which has ended.
func (a *Account) Resume(ctx context.Context, name string, o Options, m Messages) (*Execution, error) {
	if err := store.CheckStudy(name); err != nil {
		return nil, mistake.Wrap(err)
	}
	definition, agents, err := a.definitionOf(ctx, name)
	if err != nil {
		return nil, err
	}
	finished, err := a.finished(ctx, []string{name})
	if err != nil {
		return nil, err
	}
	if finished {
		return &Execution{Status: types.ExecutionStatusSucceeded, Studies: []string{name}}, nil
	}
	o.Agents = agents
	return a.start(ctx, definition, o, m)
}

// definitionOf finds the definition that a study was made from: its own, or that of the
// study which it is another agent's of.
func (a *Account) definitionOf(ctx context.Context, name string) (c *config.Study, agents []string, err error) {
	c, err = a.definition(ctx, name)
	if !errors.Is(err, objects.ErrNotFound) {
		return c, nil, err
	}
	for _, agent := range config.Agents() {
		base, ok := strings.CutSuffix(name, "-"+agent)
		if !ok {
			continue
		}
		c, err = a.definition(ctx, base)
		if err == nil && c.Agent != agent {
			return c, []string{agent}, nil
		}
		if err != nil && !errors.Is(err, objects.ErrNotFound) {
			return nil, nil, err
		}
	}
	return nil, nil, mistake.Errorf("the stack %s in %s has no definition of study %q: start it with supermax run FILE --aws", a.Stack.Name, a.Region, name)
}

// start starts an execution of a definition that is uploaded, or finds the one that runs.
func (a *Account) start(ctx context.Context, definition *config.Study, o Options, m Messages) (*Execution, error) {
	req := protocol.StartRequest{SchemaVersion: protocol.Version, Study: definition.Name, Agents: o.Agents, Slots: o.Slots, BudgetDollars: o.BudgetDollars}
	input, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	text, err := definition.JSON()
	if err != nil {
		return nil, err
	}
	studies, err := a.studiesOf(ctx, req)
	if err != nil {
		return nil, err
	}
	running, err := a.running(ctx, studies...)
	if err != nil {
		return nil, err
	}
	for _, e := range running {
		if same(e.Request, req) {
			m.Say(fmt.Sprintf("execution %s is already under way", e.Name))
			return e, nil
		}
	}
	if len(running) > 0 {
		e := running[0]
		return nil, mistake.Errorf("study %s is under way in execution %s with other agents, slots or budget: follow it with supermax watch %s --aws, or stop it first with supermax stop %s --aws",
			e.Studies[0], e.Name, e.Studies[0], e.Studies[0])
	}
	if err := a.mayStart(ctx, studies, o); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		name := executionName(definition.Name, text, input, attempt)
		out, err := a.steps.StartExecution(ctx, &sfn.StartExecutionInput{
			StateMachineArn: &a.Stack.StateMachine, Name: &name, Input: aws.String(string(input))})
		var taken *types.ExecutionAlreadyExists
		if errors.As(err, &taken) && attempt < maxAttempts {
			continue // it has ended: one of that name that runs and has this input is no error
		}
		if err != nil {
			return nil, explain("start an execution", err)
		}
		m.Say("execution " + name + " is started")
		return &Execution{ARN: aws.ToString(out.ExecutionArn), Name: name, Status: types.ExecutionStatusRunning, Request: req, Studies: studies}, nil
	}
}

// mayStart says beforehand what the execution's first state would refuse.
func (a *Account) mayStart(ctx context.Context, studies []string, o Options) error {
	for _, name := range studies {
		state, err := a.service.State(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return explain("read the state of study "+name, err)
		}
		if err := preflight.Budget(state, o.BudgetDollars); err != nil {
			return err
		}
	}
	return nil
}

// variants returns the study of each agent.
func variants(s *config.Study, agents []string) ([]*config.Study, error) {
	if len(agents) == 0 {
		return []*config.Study{s}, nil
	}
	var studies []*config.Study
	for i, agent := range agents {
		if slices.Contains(agents[:i], agent) {
			return nil, mistake.Errorf("--agents: %s is there twice", agent)
		}
		c, err := config.ForAgent(s, agent)
		if err != nil {
			return nil, mistake.Errorf("--agents %s: %w", agent, err)
		}
		studies = append(studies, c)
	}
	return studies, nil
}

// same reports whether two requests ask for the same.
func same(a, b protocol.StartRequest) bool {
	budget := a.BudgetDollars == b.BudgetDollars ||
		a.BudgetDollars != nil && b.BudgetDollars != nil && *a.BudgetDollars == *b.BudgetDollars
	return a.Study == b.Study && slices.Equal(a.Agents, b.Agents) && cmp.Or(a.Slots, protocol.DefaultSlots) == cmp.Or(b.Slots, protocol.DefaultSlots) && budget
}

// maxAttempts is how many ended executions of one study and input there may be; Step
// Functions keeps each for 90 days.
const maxAttempts = 9999

// notInNames is what an execution's name cannot hold of a study's.
var notInNames = regexp.MustCompile(`[^A-Za-z0-9_-]`)

// executionName names an execution by what it runs: study, a hash of definition and input,
// and how often that was started before. At most 80 characters.
func executionName(study string, definition, input []byte, attempt int) string {
	sum := sha256.New()
	sum.Write(definition)
	sum.Write(input)
	return fmt.Sprintf("%s-%s-%d", notInNames.ReplaceAllString(study, "_"), hex.EncodeToString(sum.Sum(nil))[:8], attempt)
}
