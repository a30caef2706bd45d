/** As the documentation of the gateway that it comes from prints it. */
export const TRAEFIK_EXAMPLE = `# services/api-gateway/dynamic/newproject.yml
http:
  routers:
    newproject-service:
      rule: "PathPrefix(\`/newproject/api\`)"
      service: newproject-backend
      middlewares:
        - newproject-auth
        - newproject-strip-prefix
      entryPoints:
        - websecure

  middlewares:
    newproject-auth:
      plugin:
        jwt:
          signingSecret: "{{env \`GATEWAY_JWT_SECRET\`}}"
          customClaims:
            project:
              - newproject

    newproject-strip-prefix:
      stripPrefix:
        prefixes:
          - "/newproject/api"

  services:
    newproject-backend:
      loadBalancer:
        servers:
          - url: "http://newproject-service.internal:8000"
`;
