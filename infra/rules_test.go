package main

import (
	"fmt"
	"strings"
	"testing"
)

// A rule holds for every resource of a type.
type rule struct {
	kind string
	name string
	ok   func(r resource) bool
}

func has(want any, path ...any) func(resource) bool {
	return func(r resource) bool { return fmt.Sprint(at(r.Properties, path...)) == fmt.Sprint(want) }
}

func set(path ...any) func(resource) bool {
	return func(r resource) bool { return at(r.Properties, path...) != nil }
}

func unset(path ...any) func(resource) bool {
	return func(r resource) bool { return at(r.Properties, path...) == nil }
}

// ours says that a property names our key.
func ours(path ...any) func(resource) bool {
	return func(r resource) bool { return strings.Contains(text(at(r.Properties, path...)), "Key") }
}

// rules are what a reviewer of the templates would ask for.
func rules() []rule {
	const (
		bucket   = "AWS::S3::Bucket"
		table    = "AWS::DynamoDB::Table"
		function = "AWS::Lambda::Function"
		template = "AWS::EC2::LaunchTemplate"
		compute  = "AWS::Batch::ComputeEnvironment"
		job      = "AWS::Batch::JobDefinition"
		group    = "AWS::Athena::WorkGroup"
		machine  = "AWS::StepFunctions::StateMachine"
	)
	encryption := []any{"BucketEncryption", "ServerSideEncryptionConfiguration", 0}
	metadata := []any{"LaunchTemplateData", "MetadataOptions"}
	disk := []any{"LaunchTemplateData", "BlockDeviceMappings", 0, "Ebs"}
	container := func(path ...any) []any { return append([]any{"ContainerProperties"}, path...) }
	resources := func(path ...any) []any { return append([]any{"ComputeResources"}, path...) }
	results := []any{"WorkGroupConfiguration", "ResultConfiguration"}
	return []rule{
		{"AWS::KMS::Key", "rotates", has(true, "EnableKeyRotation")},
		{bucket, "is encrypted with our key", ours(append(encryption, "ServerSideEncryptionByDefault", "KMSMasterKeyID")...)},
		{bucket, "has a bucket key", has(true, append(encryption, "BucketKeyEnabled")...)},
		{bucket, "keeps versions", has("Enabled", "VersioningConfiguration", "Status")},
		{bucket, "blocks public policies", has(true, "PublicAccessBlockConfiguration", "BlockPublicPolicy")},
		{bucket, "blocks public lists", has(true, "PublicAccessBlockConfiguration", "BlockPublicAcls")},
		{bucket, "ignores public lists", has(true, "PublicAccessBlockConfiguration", "IgnorePublicAcls")},
		{bucket, "restricts public buckets", has(true, "PublicAccessBlockConfiguration", "RestrictPublicBuckets")},
		{bucket, "knows no lists", has("BucketOwnerEnforced", "OwnershipControls", "Rules", 0, "ObjectOwnership")},
		{table, "is encrypted with our key", ours("SSESpecification", "KMSMasterKeyId")},
		{table, "can be restored to any second", has(true, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")},
		{table, "expires items", has("expires", "TimeToLiveSpecification", "AttributeName")},
		{table, "drops expired items", has(true, "TimeToLiveSpecification", "Enabled")},
		{table, "costs nothing while idle", has("PAY_PER_REQUEST", "BillingMode")},
		{"AWS::Logs::LogGroup", "is encrypted with our key", ours("KmsKeyId")},
		{"AWS::Logs::LogGroup", "ends after three months", has(90, "RetentionInDays")},
		{"AWS::SQS::Queue", "is encrypted", has(true, "SqsManagedSseEnabled")},
		{"AWS::SNS::Topic", "is encrypted with our key", ours("KmsMasterKeyId")},
		{function, "is a program on Amazon Linux 2023", has("provided.al2023", "Runtime")},
		{function, "runs on arm64", has("[arm64]", "Architectures")},
		{function, "logs to a group of ours", set("LoggingConfig", "LogGroup")},
		{function, "reserves no concurrency", unset("ReservedConcurrentExecutions")},
		{function, "knows the table", set("Environment", "Variables", "SUPERMAX_TABLE")},
		{function, "knows the data", set("Environment", "Variables", "SUPERMAX_DATA")},
		{function, "knows the results", set("Environment", "Variables", "SUPERMAX_RESULTS")},
		{template, "asks for a token", has("required", append(metadata, "HttpTokens")...)},
		{template, "lets containers ask", has(2, append(metadata, "HttpPutResponseHopLimit")...)},
		{template, "encrypts its disk", has(true, append(disk, "Encrypted")...)},
		{template, "deletes its disk", has(true, append(disk, "DeleteOnTermination")...)},
		{compute, "is empty while idle", has(0, resources("MinvCpus")...)},
		{compute, "has a GPU image", has("ECS_AL2023_NVIDIA", resources("Ec2Configuration", 0, "ImageType")...)},
		{compute, "starts from our template", set(resources("LaunchTemplate", "LaunchTemplateId")...)},
		{job, "asks for one GPU", has("map[Type:GPU Value:1]", container("ResourceRequirements", 0)...)},
		{job, "does not change its root", has(true, container("ReadonlyRootFilesystem")...)},
		{job, "has no privileges", has(false, container("Privileged")...)},
		{job, "ends one day", has(259200, "Timeout", "AttemptDurationSeconds")},
		{job, "logs to a group of ours", has("awslogs", container("LogConfiguration", "LogDriver")...)},
		{job, "starts the trainer", has("[trainer]", container("Command")...)},
		{group, "decides for its users", has(true, "WorkGroupConfiguration", "EnforceWorkGroupConfiguration")},
		{group, "bounds what a query reads", has(1e10, "WorkGroupConfiguration", "BytesScannedCutoffPerQuery")},
		{group, "has engine 3", has("Athena engine version 3", "WorkGroupConfiguration", "EngineVersion", "SelectedEngineVersion")},
		{group, "encrypts results with our key", ours(append(results, "EncryptionConfiguration", "KmsKey")...)},
		{machine, "is a standard one", has("STANDARD", "StateMachineType")},
		{machine, "logs errors", has("ERROR", "LoggingConfiguration", "Level")},
		{machine, "logs no data", has(false, "LoggingConfiguration", "IncludeExecutionData")},
		{"AWS::CloudWatch::Alarm", "is quiet without data", has("notBreaching", "TreatMissingData")},
		{"AWS::CloudWatch::Alarm", "tells the topic", func(r resource) bool { return text(at(r.Properties, "AlarmActions", 0)) == "${Topic}" }},
		{"AWS::EC2::SecurityGroup", "lets nothing in", unset("SecurityGroupIngress")},
	}
}

func TestRules(t *testing.T) {
	d := synthesise(t, nil, false)
	for _, rule := range rules() {
		for _, r := range d.of(t, rule.kind) {
			if !rule.ok(r) {
				t.Errorf("%s %s: it is not so that it %s", rule.kind, r, rule.name)
			}
		}
	}
}

// Whatever holds data refuses calls without TLS.
func TestTLSOnly(t *testing.T) {
	d := synthesise(t, nil, false)
	for kind, holders := range map[string]string{
		"AWS::S3::BucketPolicy": "AWS::S3::Bucket", "AWS::SQS::QueuePolicy": "AWS::SQS::Queue", "AWS::SNS::TopicPolicy": "AWS::SNS::Topic",
	} {
		policies := d.of(t, kind)
		if len(policies) != len(d.of(t, holders)) {
			t.Errorf("%d %s for %d %s", len(policies), kind, len(d.of(t, holders)), holders)
		}
		for _, r := range policies {
			found := false
			for _, s := range list(at(r.Properties, "PolicyDocument", "Statement")) {
				found = found || at(s, "Effect") == "Deny" && fmt.Sprint(at(s, "Condition", "Bool", "aws:SecureTransport")) == "false"
			}
			if !found {
				t.Errorf("%s does not refuse calls without TLS", r)
			}
		}
	}
}

// Checkpoints of the search stages go after a while, stage C's models stay.
func TestLifecycle(t *testing.T) {
	for _, r := range synthesise(t, nil, false).of(t, "AWS::S3::Bucket") {
		expires := map[string]string{}
		for _, rule := range list(at(r.Properties, "LifecycleConfiguration", "Rules")) {
			if at(rule, "Status") != "Enabled" {
				t.Errorf("%s: %v is not enabled", r, rule)
			}
			if days := at(rule, "ExpirationInDays"); days != nil {
				expires[text(at(rule, "Prefix"))] = fmt.Sprint(days)
			}
			if parts := at(rule, "AbortIncompleteMultipartUpload", "DaysAfterInitiation"); parts != nil {
				expires["parts"] = fmt.Sprint(parts)
			}
			if former := at(rule, "NoncurrentVersionExpiration", "NoncurrentDays"); former != nil {
				expires["former versions"] = fmt.Sprint(former)
			}
		}
		want := map[string]string{"parts": "2", "former versions": "30"}
		if short(r.id) == "Results" {
			want["checkpoints/stage=A/"], want["checkpoints/stage=B/"], want["athena/"] = "90", "90", "30"
		}
		if fmt.Sprint(expires) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", r, expires, want)
		}
	}
}

// The data outlives the stack, unless the person said otherwise; what can be made again
// goes with it.
func TestRemoval(t *testing.T) {
	for _, c := range []struct {
		context map[string]any
		want    string
	}{{nil, "Retain"}, {map[string]any{"retain": "false", "image": "local/trainer:latest", "budget": "100", "email": "a@example.org"}, "Delete"}} {
		d := synthesise(t, c.context, false)
		for _, r := range d.resources {
			switch r.Type {
			case "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key":
				if r.DeletionPolicy != c.want || r.UpdateReplacePolicy != c.want {
					t.Errorf("%v: %s is kept by %s and %s, want %s", c.context, r, r.DeletionPolicy, r.UpdateReplacePolicy, c.want)
				}
			default:
				if r.DeletionPolicy == "Retain" {
					t.Errorf("%s outlives the stack", r)
				}
			}
		}
	}
}
