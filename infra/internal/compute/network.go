package compute

import (
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/settings"
)

// A network is where the slots' instances run. Nothing reaches them from outside, and they
// reach nothing but HTTPS.
type network struct {
	subnets       []*string
	securityGroup *string
}

// services are what instance and trainer call besides S3 and DynamoDB, whose endpoints
// cost nothing: each of these costs $7.30 a month and zone, used or not.
var services = []string{"ecs", "ecs-agent", "ecs-telemetry", "ecr.api", "ecr.dkr", "logs", "lambda"}

// newNetwork takes the VPC of the settings, or makes one, always without a NAT gateway ($33
// a month and zone). Ours has public subnets: instances get an address while they live and
// no door is open to it, and an idle deployment costs nothing. With network=private there
// is no way to the internet at all, and interface endpoints cost $51 a month and zone.
func newNetwork(scope constructs.Construct, s settings.Settings) network {
	if s.VPC != "" {
		group := newSecurityGroup(scope, "Slots", jsii.String(s.VPC), "Supermax slots: out by HTTPS, nothing in", nil)
		return network{subnets: *jsii.Strings(s.Subnets...), securityGroup: group.AttrGroupId()}
	}
	const cidr = "10.42.0.0/16"
	vpc := awsec2.NewCfnVPC(scope, jsii.String("Vpc"), &awsec2.CfnVPCProps{
		CidrBlock: jsii.String(cidr), EnableDnsHostnames: jsii.Bool(true), EnableDnsSupport: jsii.Bool(true), Tags: name(s.Name),
	})
	routes := awsec2.NewCfnRouteTable(scope, jsii.String("Routes"), &awsec2.CfnRouteTableProps{VpcId: vpc.Ref(), Tags: name(s.Name)})
	n := network{
		securityGroup: newSecurityGroup(scope, "Slots", vpc.Ref(), "Supermax slots: out by HTTPS, nothing in", nil).AttrGroupId(),
	}
	for i := range s.Zones {
		subnet := awsec2.NewCfnSubnet(scope, jsii.String("Subnet"+strconv.Itoa(i+1)), &awsec2.CfnSubnetProps{
			VpcId:               vpc.Ref(),
			AvailabilityZone:    awscdk.Fn_Select(jsii.Number(float64(i)), awscdk.Fn_GetAzs(nil)),
			CidrBlock:           jsii.String("10.42." + strconv.Itoa(i*32) + ".0/19"), // 8,187 instances
			MapPublicIpOnLaunch: jsii.Bool(!s.Private),
			Tags:                name(s.Name),
		})
		awsec2.NewCfnSubnetRouteTableAssociation(scope, jsii.String("SubnetRoutes"+strconv.Itoa(i+1)),
			&awsec2.CfnSubnetRouteTableAssociationProps{SubnetId: subnet.Ref(), RouteTableId: routes.Ref()})
		n.subnets = append(n.subnets, subnet.Ref())
	}
	for _, service := range []string{"s3", "dynamodb"} {
		awsec2.NewCfnVPCEndpoint(scope, jsii.String("Endpoint-"+service), &awsec2.CfnVPCEndpointProps{
			VpcId: vpc.Ref(), ServiceName: endpoint(scope, service), VpcEndpointType: jsii.String("Gateway"),
			RouteTableIds: &[]any{routes.Ref()},
		})
	}
	if s.Private {
		interfaceEndpoints(scope, vpc, n.subnets, cidr)
	} else {
		internet(scope, vpc, routes, s.Name)
	}
	return n
}

func internet(scope constructs.Construct, vpc awsec2.CfnVPC, routes awsec2.CfnRouteTable, stack string) {
	gateway := awsec2.NewCfnInternetGateway(scope, jsii.String("Internet"), &awsec2.CfnInternetGatewayProps{Tags: name(stack)})
	attached := awsec2.NewCfnVPCGatewayAttachment(scope, jsii.String("InternetAttachment"), &awsec2.CfnVPCGatewayAttachmentProps{
		VpcId: vpc.Ref(), InternetGatewayId: gateway.Ref(),
	})
	route := awsec2.NewCfnRoute(scope, jsii.String("InternetRoute"), &awsec2.CfnRouteProps{
		RouteTableId: routes.Ref(), DestinationCidrBlock: jsii.String("0.0.0.0/0"), GatewayId: gateway.Ref(),
	})
	route.AddDependency(attached)
}

func interfaceEndpoints(scope constructs.Construct, vpc awsec2.CfnVPC, subnets []*string, cidr string) {
	group := newSecurityGroup(scope, "Endpoints", vpc.Ref(), "Supermax endpoints: HTTPS from within the VPC", jsii.String(cidr))
	var ids []any
	for _, subnet := range subnets {
		ids = append(ids, subnet)
	}
	for _, service := range services {
		awsec2.NewCfnVPCEndpoint(scope, jsii.String("Endpoint-"+service), &awsec2.CfnVPCEndpointProps{
			VpcId: vpc.Ref(), ServiceName: endpoint(scope, service), VpcEndpointType: jsii.String("Interface"),
			PrivateDnsEnabled: jsii.Bool(true), SubnetIds: &ids, SecurityGroupIds: &[]any{group.AttrGroupId()},
		})
	}
}

// newSecurityGroup lets HTTPS out, and in from one range of addresses at most.
func newSecurityGroup(scope constructs.Construct, id string, vpc *string, what string, from *string) awsec2.CfnSecurityGroup {
	props := &awsec2.CfnSecurityGroupProps{
		VpcId: vpc, GroupDescription: jsii.String(what),
		SecurityGroupEgress: &[]any{&awsec2.CfnSecurityGroup_EgressProperty{
			IpProtocol: jsii.String("tcp"), FromPort: jsii.Number(443), ToPort: jsii.Number(443),
			CidrIp: jsii.String("0.0.0.0/0"), Description: jsii.String("HTTPS"),
		}},
	}
	if from != nil {
		props.SecurityGroupIngress = &[]any{&awsec2.CfnSecurityGroup_IngressProperty{
			IpProtocol: jsii.String("tcp"), FromPort: jsii.Number(443), ToPort: jsii.Number(443),
			CidrIp: from, Description: jsii.String("HTTPS"),
		}}
	}
	return awsec2.NewCfnSecurityGroup(scope, jsii.String(id), props)
}

func endpoint(scope constructs.Construct, service string) *string {
	return jsii.String("com.amazonaws." + *awscdk.Stack_Of(scope).Region() + "." + service)
}

func name(of string) *[]*awscdk.CfnTag {
	return &[]*awscdk.CfnTag{{Key: jsii.String("Name"), Value: jsii.String(of)}}
}
