package cloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// A stateRemover removes a study's state. That there is none is no error.
type stateRemover interface {
	Delete(ctx context.Context, study string) error
}

// A Holding is what there is to remove.
type Holding struct {
	Objects int  // in both buckets; of a versioned bucket, their versions
	State   bool // there is state in the table
}

// Holds counts what a study has in the account.
func (a *Account) Holds(ctx context.Context, name string) (Holding, error) {
	if err := store.CheckStudy(name); err != nil {
		return Holding{}, mistake.Wrap(err)
	}
	h, err := a.eachPlace(ctx, name, a.count)
	if err != nil {
		return h, err
	}
	_, err = a.service.State(ctx, name)
	h.State = !errors.Is(err, store.ErrNotFound) // what cannot be read is there all the same
	if h == (Holding{}) {
		return h, mistake.Errorf("the stack %s in %s holds nothing of a study %q", a.Stack.Name, a.Region, name)
	}
	return h, nil
}

// Delete removes a study: its objects, its definition and then its state. It is refused
// while the study is under way, and may be repeated when it broke off. Corpora and
// backbones stay, since other studies may read them.
func (a *Account) Delete(ctx context.Context, name string) (Holding, error) {
	before, err := a.Holds(ctx, name)
	if err != nil {
		return Holding{}, err
	}
	running, err := a.running(ctx, name)
	if err != nil {
		return Holding{}, err
	}
	jobs, err := a.jobs(ctx, name)
	if err != nil {
		return Holding{}, err
	}
	if len(running)+len(jobs) > 0 {
		return Holding{}, mistake.Errorf("study %s is under way (%d executions, %d jobs): stop it first with supermax stop %s --aws, and wait for its jobs to end", name, len(running), len(jobs), name)
	}
	h, err := a.eachPlace(ctx, name, a.erase)
	if err != nil {
		return h, err
	}
	if err := a.state.Delete(ctx, name); err != nil {
		return h, explain("remove the state of study "+name, err)
	}
	h.State = before.State
	return h, nil
}

// eachPlace does something to whatever lies where a study's objects are, and adds up.
func (a *Account) eachPlace(ctx context.Context, name string, do func(ctx context.Context, bucket, prefix string) (int, error)) (Holding, error) {
	places := []struct{ bucket, prefix string }{
		{a.Stack.Data, handler.DefinitionKey(name)},
		{a.Stack.Results, "studies/" + name + "/"},
		{a.Stack.Results, "metrics/study=" + name + "/"},
		{a.Stack.Results, "trials/study=" + name + "/"},
		{a.Stack.Results, "exports/study=" + name + "/"},
	}
	for _, stage := range protocol.Stages() {
		places = append(places, struct{ bucket, prefix string }{a.Stack.Results, study.StageCheckpoints(name, stage)})
	}
	var h Holding
	for _, p := range places {
		n, err := do(ctx, p.bucket, p.prefix)
		h.Objects += n
		if err != nil {
			return h, err
		}
	}
	return h, nil
}

// HoldsAll counts what the whole stack has in its buckets.
func (a *Account) HoldsAll(ctx context.Context) (Holding, error) { return a.both(ctx, a.count) }

// Purge removes everything: all versions of all objects in both buckets, and all items of
// the table. It is what has to happen before cdk destroy can remove them too, and is
// refused while anything is under way.
func (a *Account) Purge(ctx context.Context) (h Holding, items int, err error) {
	out, err := a.steps.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &a.Stack.StateMachine, StatusFilter: sfntypes.ExecutionStatusRunning})
	if err != nil {
		return h, 0, explain("list the executions", err)
	}
	if n := len(out.Executions); n > 0 {
		return h, 0, mistake.Errorf("%d executions are under way: stop their studies first with supermax stop STUDY --aws", n)
	}
	if h, err = a.both(ctx, a.erase); err != nil {
		return h, 0, err
	}
	if items, err = a.eraseItems(ctx); err != nil {
		return h, items, fmt.Errorf("after %d objects: %w", h.Objects, err)
	}
	return h, items, nil
}

func (a *Account) both(ctx context.Context, do func(ctx context.Context, bucket, prefix string) (int, error)) (h Holding, err error) {
	for _, bucket := range []string{a.Stack.Data, a.Stack.Results} {
		n, err := do(ctx, bucket, "")
		h.Objects += n
		if err != nil {
			return h, err
		}
	}
	return h, nil
}
