package cloud

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/batch"
	batchtypes "github.com/aws/aws-sdk-go-v2/service/batch/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

type quotaLister interface {
	ListServiceQuotas(context.Context, *servicequotas.ListServiceQuotasInput, ...func(*servicequotas.Options)) (*servicequotas.ListServiceQuotasOutput, error)
}

type environmentDescriber interface {
	DescribeJobQueues(context.Context, *batch.DescribeJobQueuesInput, ...func(*batch.Options)) (*batch.DescribeJobQueuesOutput, error)
	DescribeComputeEnvironments(context.Context, *batch.DescribeComputeEnvironmentsInput, ...func(*batch.Options)) (*batch.DescribeComputeEnvironmentsOutput, error)
}

// A need is what one compute environment asks of the account for a slot.
type need struct {
	quota string // its name in Service Quotas
	vcpus int    // of the smallest instance
}

// The quotas of GPU instances, in vCPUs, by their names: Spot's and on-demand's differ.
const (
	quotaSpotG = "All G and VT Spot Instance Requests"
	quotaSpotP = "All P Spot Instance Requests"
	quotaG     = "Running On-Demand G and VT instances"
	quotaP     = "Running On-Demand P instances"
)

// checkQuotas compares the account's quotas with what the slots take. That none can run is
// a mistake; that they cannot run all at once, and what cannot be looked at, is a warning.
func (a *Account) checkQuotas(ctx context.Context, slots int) (warnings []string, err error) {
	needs, err := a.needs(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return []string{fmt.Sprintf("the quotas are not checked: %v", err)}, nil
	}
	if len(needs) == 0 {
		return []string{"the quotas are not checked: the job queue runs on no GPU instances"}, nil
	}
	quotas, err := a.ec2Quotas(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return []string{fmt.Sprintf("the quotas are not checked: %v", err)}, nil
	}
	return weigh(needs, quotas, slots)
}

// weigh says how many slots the quotas have room for.
func weigh(needs []need, quotas map[string]float64, slots int) (warnings []string, err error) {
	room, smallest := 0, math.MaxInt
	var says []string
	for _, n := range needs {
		have, ok := quotas[n.quota]
		if !ok {
			return []string{fmt.Sprintf("the quotas are not checked: Service Quotas lists no %q", n.quota)}, nil
		}
		room += int(have) / n.vcpus
		smallest = min(smallest, n.vcpus)
		says = append(says, fmt.Sprintf("%q is %g vCPUs, and a slot takes %d", n.quota, have, n.vcpus))
	}
	why := strings.Join(says, "; ")
	switch {
	case room == 0:
		return nil, mistake.Errorf("no slot could ever start: %s: ask for more in the console's Service Quotas, under Amazon EC2", why)
	case room < slots:
		return []string{fmt.Sprintf("the quotas let %d of %d slots run at once, the others wait for their turn: %s; %d vCPUs would do", room, slots, why, slots*smallest)}, nil
	}
	return nil, nil
}

// needs returns what each environment of the queue needs, one for each quota.
func (a *Account) needs(ctx context.Context) ([]need, error) {
	queues, err := a.batch.DescribeJobQueues(ctx, &batch.DescribeJobQueuesInput{JobQueues: []string{a.Stack.JobQueue}})
	if err != nil {
		return nil, explain("read the job queue", err)
	}
	var names []string
	for _, queue := range queues.JobQueues {
		for _, order := range queue.ComputeEnvironmentOrder {
			names = append(names, aws.ToString(order.ComputeEnvironment))
		}
	}
	if len(names) == 0 {
		return nil, errors.New("the job queue has no compute environments")
	}
	out, err := a.batch.DescribeComputeEnvironments(ctx, &batch.DescribeComputeEnvironmentsInput{ComputeEnvironments: names})
	if err != nil {
		return nil, explain("read the compute environments", err)
	}
	least := map[string]int{}
	for _, e := range out.ComputeEnvironments {
		if e.ComputeResources == nil {
			continue
		}
		spot := e.ComputeResources.Type == batchtypes.CRTypeSpot
		for _, instance := range e.ComputeResources.InstanceTypes {
			quota, vcpus := quotaOf(instance, spot)
			if quota != "" && (least[quota] == 0 || vcpus < least[quota]) {
				least[quota] = vcpus
			}
		}
	}
	var needs []need
	for _, quota := range []string{quotaSpotG, quotaG, quotaSpotP, quotaP} {
		if least[quota] > 0 {
			needs = append(needs, need{quota, least[quota]})
		}
	}
	return needs, nil
}

var instanceForm = regexp.MustCompile(`^(g|p|vt)\d[a-z0-9-]*(?:\.(\d*)xlarge)?$`)

// quotaOf returns the quota that an instance type counts against and its vCPUs: an xlarge
// of these families has 4, an Nxlarge N times as many. A family alone may be any size.
func quotaOf(instance string, spot bool) (quota string, vcpus int) {
	m := instanceForm.FindStringSubmatch(instance)
	if m == nil {
		return "", 0
	}
	times, err := strconv.Atoi(m[2])
	if err != nil {
		times = 1
	}
	class := 0
	if m[1] == "p" {
		class = 1
	}
	names := []string{quotaG, quotaP}
	if spot {
		names = []string{quotaSpotG, quotaSpotP}
	}
	return names[class], 4 * times
}

// ec2Quotas reads the quotas that matter here.
func (a *Account) ec2Quotas(ctx context.Context) (map[string]float64, error) {
	wanted := []string{quotaSpotG, quotaSpotP, quotaG, quotaP}
	found := map[string]float64{}
	in := &servicequotas.ListServiceQuotasInput{ServiceCode: aws.String("ec2")}
	for {
		out, err := a.quotas.ListServiceQuotas(ctx, in)
		if err != nil {
			return nil, explain("read Service Quotas", err)
		}
		for _, q := range out.Quotas {
			if name := aws.ToString(q.QuotaName); slices.Contains(wanted, name) && q.Value != nil {
				found[name] = *q.Value
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return found, nil
		}
	}
}
