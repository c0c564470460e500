package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A statement is one of a policy's.
type statement struct {
	from       resource // the policy, role or resource that holds it
	actions    []string
	resources  []string
	principals []string
	condition  any
}

// statements returns the permissions of every policy in the templates.
func (d deployment) statements(t *testing.T) []statement {
	t.Helper()
	var all []statement
	for _, r := range d.resources {
		documents := []any{at(r.Properties, "PolicyDocument"), at(r.Properties, "KeyPolicy")}
		for _, p := range list(at(r.Properties, "Policies")) {
			documents = append(documents, at(p, "PolicyDocument"))
		}
		for _, document := range documents {
			for _, s := range list(at(document, "Statement")) {
				if at(s, "Effect") == "Allow" {
					all = append(all, statement{r, texts(at(s, "Action")), texts(at(s, "Resource")), principals(s), at(s, "Condition")})
				}
			}
		}
		if arns := list(at(r.Properties, "ManagedPolicyArns")); len(arns) > 0 {
			t.Errorf("%s has managed policies: %v", r, arns)
		}
	}
	if len(all) < 20 {
		t.Fatalf("only %d statements were found", len(all))
	}
	return all
}

func principals(s any) []string {
	var all []string
	switch p := at(s, "Principal").(type) {
	case string:
		all = append(all, p)
	case map[string]any:
		for _, kind := range slices.Sorted(maps.Keys(p)) {
			all = append(all, texts(p[kind])...)
		}
	}
	return all
}

func texts(v any) []string {
	var all []string
	for _, item := range list(v) {
		all = append(all, text(item))
	}
	return all
}

// An exception is a wildcard that has to be, with the reason.
type exception struct {
	stack, holder, action, resource string // holder: how the resource's logical name begins
	why                             string
}

const (
	noLevel = "AWS knows no narrower resource for this action"
	ownKey  = "in a key's own policy this means the key"
)

// exceptions are all the wildcards that stand alone: of actions, and of whole resources.
func exceptions() []exception {
	list := []exception{
		{"Storage", "Key", "kms:*", "*", "the account administers the key, or nobody could; " + ownKey},
		{"Compute", "InstanceRole", "ecs:DiscoverPollEndpoint", "*", noLevel},
		{"Compute", "ExecutionRole", "ecr:GetAuthorizationToken", "*", noLevel},
		{"Workflow", "Role", "batch:DescribeJobs", "*", noLevel},
	}
	for _, action := range []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"} {
		list = append(list, exception{"Storage", "Key", action, "*", ownKey})
	}
	for _, action := range []string{
		"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
		"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
	} {
		list = append(list, exception{"Workflow", "Role", action, "*", noLevel})
	}
	return list
}

func TestNoWildcardsButTheListed(t *testing.T) {
	used := map[exception]bool{}
	allowed := func(s statement, action, resource string) bool {
		for _, e := range exceptions() {
			if e.stack == s.from.stack && strings.HasPrefix(s.from.id, e.holder) && e.action == action && e.resource == resource {
				used[e] = true
				return true
			}
		}
		return false
	}
	for _, s := range synthesise(t, nil, false).statements(t) {
		for _, action := range s.actions {
			for _, resource := range s.resources {
				if (strings.Contains(action, "*") || resource == "*") && !allowed(s, action, resource) {
					t.Errorf("%s permits %s on %s", s.from, action, resource)
				}
			}
		}
	}
	for _, e := range exceptions() {
		if !used[e] {
			t.Errorf("the exception for %s on %s of %s/%s is not needed any more", e.action, e.resource, e.stack, e.holder)
		}
	}
}

// Resources that end in a wildcard are parts of what is ours, or of this account where the
// names are made by AWS.
func TestWildcardsWithinResources(t *testing.T) {
	const account = "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:"
	of := func(service string) string { return strings.Replace(account, "%s", service, 1) }
	allowed := []string{
		of("ecs") + "cluster/*", of("ecs") + "container-instance/*", // Batch names its clusters
		of("batch") + "job/*", of("batch") + "job-definition/Supermax-slot:*",
	}
	for _, s := range synthesise(t, nil, false).statements(t) {
		for _, resource := range s.resources {
			if resource == "*" || !strings.Contains(resource, "*") || slices.Contains(allowed, resource) {
				continue
			}
			// Objects of our buckets below a prefix, or of a whole bucket to end uploads.
			_, below, ours := strings.Cut(resource, "}/")
			whole := below == "*" && slices.Equal(s.actions, []string{"s3:AbortMultipartUpload"})
			if !ours || !strings.HasSuffix(below, "/*") && !whole {
				t.Errorf("%s permits %v on %s", s.from, s.actions, resource)
			}
		}
	}
}

// What services may do by themselves is bound to this account, where AWS knows such a
// condition for them, and roles are for services only.
func TestPrincipals(t *testing.T) {
	d := synthesise(t, nil, false)
	for _, s := range d.statements(t) {
		for _, p := range s.principals {
			if p == "*" {
				t.Errorf("%s is open to everybody for %v", s.from, s.actions)
			}
		}
		free := s.from.Type == "AWS::KMS::Key" || slices.Contains(s.principals, "events.amazonaws.com")
		if len(s.principals) > 0 && s.condition == nil && !free {
			t.Errorf("%s permits %v to %v without a condition", s.from, s.actions, s.principals)
		}
	}
	for _, r := range d.of(t, "AWS::IAM::Role") {
		for _, s := range list(at(r.Properties, "AssumeRolePolicyDocument", "Statement")) {
			if p := at(s, "Principal"); at(p, "Service") == nil || len(p.(map[string]any)) != 1 {
				t.Errorf("%s can be taken on by %v", r, p)
			}
		}
	}
}

// The trainer reads what it trains on, keeps its own files, and calls three functions.
func TestTrainerRole(t *testing.T) {
	want := map[string][]string{
		"${Storage/Data.Arn}":                  {"s3:ListBucket below corpora/* backbones/*"},
		"${Storage/Data.Arn}/backbones/*":      {"s3:GetObject"},
		"${Storage/Data.Arn}/corpora/*":        {"s3:GetObject"},
		"${Storage/Results.Arn}":               {"s3:ListBucket below studies/* checkpoints/* metrics/*"},
		"${Storage/Results.Arn}/studies/*":     {"s3:GetObject"},
		"${Storage/Results.Arn}/metrics/*":     {"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"},
		"${Storage/Results.Arn}/checkpoints/*": {"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"},
		"${Storage/Key.Arn}": {
			"kms:Decrypt through s3.${AWS::Region}.${AWS::URLSuffix}", "kms:GenerateDataKey through s3.${AWS::Region}.${AWS::URLSuffix}",
		},
		"${Ask.Arn}":       {"lambda:InvokeFunction"},
		"${Tell.Arn}":      {"lambda:InvokeFunction"},
		"${Heartbeat.Arn}": {"lambda:InvokeFunction"},
	}
	if d := cmp.Diff(want, synthesise(t, nil, false).rights(t, "TrainerRole")); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// The functions that a slot calls reach the table and nothing else.
func TestFunctionRoles(t *testing.T) {
	d := synthesise(t, nil, false)
	through := " through dynamodb.${AWS::Region}.${AWS::URLSuffix}"
	for _, name := range []string{"Ask", "Tell", "Heartbeat", "Check", "Plan", "Stop"} {
		want := map[string][]string{
			"${" + name + "Logs.Arn}": {"logs:CreateLogStream", "logs:PutLogEvents"},
			"${Storage/Studies.Arn}":  {"dynamodb:BatchWriteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"},
			"${Storage/Key.Arn}": {"kms:Decrypt" + through, "kms:DescribeKey" + through, "kms:Encrypt" + through,
				"kms:GenerateDataKey" + through, "kms:ReEncryptFrom" + through, "kms:ReEncryptTo" + through},
		}
		if d := cmp.Diff(want, d.rights(t, name+"Role")); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
	for _, r := range []string{"Aggregate", "Promote", "Finish"} {
		for resource := range d.rights(t, r+"Role") {
			if strings.Contains(resource, "Storage/Data") {
				t.Errorf("%s may reach the data bucket: %s", r, resource)
			}
		}
	}
}

// rights returns what a role of the compute stack may do, by resource.
func (d deployment) rights(t *testing.T, role string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, s := range d.statements(t) {
		if short(s.from.id) != role+"DefaultPolicy" {
			continue
		}
		where := ""
		if prefixes := at(s.condition, "StringLike", "s3:prefix"); prefixes != nil {
			where = " below " + strings.Join(texts(prefixes), " ")
		}
		if service := at(s.condition, "StringEquals", "kms:ViaService"); service != nil {
			where = " through " + text(service)
		}
		for _, resource := range s.resources {
			for _, action := range s.actions {
				all[resource] = append(all[resource], action+where)
			}
			slices.Sort(all[resource])
		}
	}
	return all
}
