package cloud

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/batch"
	batchtypes "github.com/aws/aws-sdk-go-v2/service/batch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	quotatypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	"github.com/aws/smithy-go"
)

// ListServiceQuotas gives one quota a page.
func (f *fakes) ListServiceQuotas(_ context.Context, in *servicequotas.ListServiceQuotasInput, _ ...func(*servicequotas.Options)) (*servicequotas.ListServiceQuotasOutput, error) {
	if err := f.fail["ListServiceQuotas"]; err != nil {
		return nil, err
	}
	if f.quotaErr != nil {
		return nil, f.quotaErr
	}
	names := []string{"Running On-Demand Standard instances", quotaSpotG, quotaG, quotaSpotP, quotaP}
	at := len(aws.ToString(in.NextToken))
	out := &servicequotas.ListServiceQuotasOutput{Quotas: []quotatypes.ServiceQuota{{QuotaName: &names[at], Value: &f.quota}}}
	if at+1 < len(names) {
		out.NextToken = aws.String(strings.Repeat("x", at+1))
	}
	return out, nil
}

func (f *fakes) DescribeJobQueues(context.Context, *batch.DescribeJobQueuesInput, ...func(*batch.Options)) (*batch.DescribeJobQueuesOutput, error) {
	if err := f.fail["DescribeJobQueues"]; err != nil {
		return nil, err
	}
	if f.noQueue {
		return &batch.DescribeJobQueuesOutput{}, nil
	}
	return &batch.DescribeJobQueuesOutput{JobQueues: []batchtypes.JobQueueDetail{{ComputeEnvironmentOrder: []batchtypes.ComputeEnvironmentOrder{
		{ComputeEnvironment: aws.String("spot")}, {ComputeEnvironment: aws.String("demand")}}}}}, nil
}

func (f *fakes) DescribeComputeEnvironments(context.Context, *batch.DescribeComputeEnvironmentsInput, ...func(*batch.Options)) (*batch.DescribeComputeEnvironmentsOutput, error) {
	if err := f.fail["DescribeComputeEnvironments"]; err != nil {
		return nil, err
	}
	instances := []string{"g5.2xlarge", "g6.xlarge", "c7i.xlarge"}
	return &batch.DescribeComputeEnvironmentsOutput{ComputeEnvironments: []batchtypes.ComputeEnvironmentDetail{
		{ComputeResources: &batchtypes.ComputeResource{Type: batchtypes.CRTypeSpot, InstanceTypes: instances}},
		{ComputeResources: &batchtypes.ComputeResource{Type: batchtypes.CRTypeEc2, InstanceTypes: instances[:1]}},
		{},
	}}, nil
}

func (f *fakes) DescribeImages(_ context.Context, in *ecr.DescribeImagesInput, options ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error) {
	if err := f.fail["DescribeImages"]; err != nil {
		return nil, err
	}
	var o ecr.Options
	for _, option := range options {
		option(&o)
	}
	id := in.ImageIds[0]
	f.imageAsked = strings.Join([]string{aws.ToString(in.RegistryId), o.Region, aws.ToString(in.RepositoryName), aws.ToString(id.ImageTag), aws.ToString(id.ImageDigest)}, " ")
	return &ecr.DescribeImagesOutput{}, f.imageErr
}

var (
	noImage       = &ecrtypes.ImageNotFoundException{Message: aws.String("none")}
	notAllowedErr = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "User: x is not\nauthorized"}
)

// A g6.xlarge as Spot takes 4 vCPUs, a g5.2xlarge on demand 8: with 64 of each there is
// room for 16 + 8 slots.
func TestCheckQuotas(t *testing.T) {
	for name, c := range map[string]struct {
		slots int
		quota float64
		err   error
		queue bool
		warn  string
		stop  string
	}{
		"enough":     {24, 64, nil, true, "", ""},
		"some":       {25, 64, nil, true, `the quotas let 24 of 25 slots run at once, the others wait for their turn: "All G and VT Spot Instance Requests" is 64 vCPUs, and a slot takes 4; "Running On-Demand G and VT instances" is 64 vCPUs, and a slot takes 8; 100 vCPUs would do`, ""},
		"one":        {1, 4, nil, true, "", ""},
		"none":       {1, 0, nil, true, "", `no slot could ever start: "All G and VT Spot Instance Requests" is 0 vCPUs`},
		"denied":     {1, 64, notAllowedErr, true, "the quotas are not checked: read Service Quotas: the credentials do not allow it (AccessDeniedException): User: x is not authorized", ""},
		"no service": {1, 64, &smithy.GenericAPIError{Code: "UnknownOperationException", Message: "?"}, true, "the quotas are not checked: read Service Quotas: UnknownOperationException: ?", ""},
		"no queue":   {1, 64, nil, false, "the quotas are not checked: the job queue has no compute environments", ""},
	} {
		w := newWorld(t)
		w.aws.quota, w.aws.quotaErr, w.aws.noQueue = c.quota, c.err, !c.queue
		warnings, err := w.checkQuotas(t.Context(), c.slots)
		if strings.Join(warnings, "\n") != c.warn {
			t.Errorf("%s: warns %q, want %q", name, warnings, c.warn)
		}
		if c.stop == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c.stop != "" {
			refused(t, name, err, c.stop)
		}
	}
	// A service that lists no such quota, and a queue without GPUs.
	if warnings, err := weigh([]need{{quotaP, 8}}, map[string]float64{}, 1); err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "lists no") {
		t.Errorf("%v, %v", warnings, err)
	}
}

func TestQuotaOf(t *testing.T) {
	for instance, want := range map[string]struct {
		demand, spot string
		vcpus        int
	}{
		"g4dn.xlarge": {quotaG, quotaSpotG, 4}, "g5.12xlarge": {quotaG, quotaSpotG, 48}, "g6e": {quotaG, quotaSpotG, 4}, "vt1.3xlarge": {quotaG, quotaSpotG, 12},
		"p4d.24xlarge": {quotaP, quotaSpotP, 96}, "p3.2xlarge": {quotaP, quotaSpotP, 8},
		"c7i.xlarge": {}, "optimal": {}, "g5.metal": {}, "": {},
	} {
		for _, spot := range []bool{false, true} {
			name := want.demand
			if spot {
				name = want.spot
			}
			if quota, vcpus := quotaOf(instance, spot); quota != name || vcpus != want.vcpus {
				t.Errorf("%s (Spot %t): %q, %d vCPUs; want %q, %d", instance, spot, quota, vcpus, name, want.vcpus)
			}
		}
	}
}

func TestCheckImage(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	const here = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
	for name, c := range map[string]struct {
		image, asked string
		err          error
		warn, stop   string
	}{
		"tag":           {here + "a/b:one", "123456789012 eu-west-1 a/b one ", nil, "", ""},
		"digest":        {here + "a@" + digest, "123456789012 eu-west-1 a  " + digest, nil, "", ""},
		"latest":        {here + "a", "123456789012 eu-west-1 a latest ", nil, "", ""},
		"elsewhere":     {"docker.io/supermax:1", "", nil, "the trainer's image docker.io/supermax:1 is not checked: it is not in ECR", ""},
		"gone":          {here + "a:one", "123456789012 eu-west-1 a one ", noImage, "", "image " + here + "a:one is not there"},
		"no repository": {here + "a:one", "123456789012 eu-west-1 a one ", &ecrtypes.RepositoryNotFoundException{}, "", "is not there"},
		"denied":        {here + "a:one", "123456789012 eu-west-1 a one ", notAllowedErr, "is not checked: read ECR: the credentials do not allow it", ""},
	} {
		w := newWorld(t)
		w.Stack.Image, w.aws.imageErr = c.image, c.err
		warnings, err := w.checkImage(t.Context())
		if got := strings.Join(warnings, "\n"); (got == "") != (c.warn == "") || !strings.Contains(got, c.warn) {
			t.Errorf("%s: warns %q, want %q", name, got, c.warn)
		}
		if c.stop == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c.stop != "" {
			refused(t, name, err, c.stop)
		}
		if w.aws.imageAsked != c.asked {
			t.Errorf("%s: asked for %q, want %q", name, w.aws.imageAsked, c.asked)
		}
	}
}

// A check that was stopped is no warning.
func TestChecksStopped(t *testing.T) {
	w := newWorld(t)
	w.aws.quotaErr, w.aws.imageErr = errors.New("stopped"), errors.New("stopped")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.checkQuotas(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("quotas: %v", err)
	}
	if _, err := w.checkImage(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("image: %v", err)
	}
}
