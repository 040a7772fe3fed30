export default {
  title: "An example",
  url: "https://docs.example.org",
  baseUrl: "/project/docs/",
  presets: [["classic", { docs: { routeBasePath: "/" }, blog: false }]],
  themeConfig: { colorMode: { respectPrefersColorScheme: true } },
};
